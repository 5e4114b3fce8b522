// Cedar on the policies of bench/native.cc: the same numbers of rules, one in
// ten a forbid, the same two requests. Policies are parsed once (the stateful
// interface); each request carries the file and its directory as entities.
// Prints one JSON object a line: {"op", "rules", "ns"}, CPU time.
import { preparsePolicySet, statefulIsAuthorized } from "@cedar-policy/cedar-wasm/nodejs";

function policies(count) {
  const text = [];
  for (let i = 0; i < count; i++)
    text.push(i % 10 === 9
      ? `forbid(principal, action == Action::"write", resource in Dir::"/secret${i}");`
      : `permit(principal == Domain::"bench", action == Action::"write", resource in Dir::"/tree${i}");`);
  return text.join("\n");
}

function request(set, tree) {
  const file = { type: "File", id: `${tree}/a/report.txt` };
  const dir = { type: "Dir", id: tree };
  return {
    principal: { type: "Domain", id: "bench" },
    action: { type: "Action", id: "write" },
    resource: file,
    context: {},
    preparsedPolicySetId: set,
    entities: [
      { uid: file, attrs: {}, parents: [dir] },
      { uid: dir, attrs: {}, parents: [] },
    ],
  };
}

function measure(op, rules, call, wanted) {
  const answer = statefulIsAuthorized(call);
  if (answer.type !== "success" || answer.response.decision !== wanted)
    throw new Error(`${op} at ${rules} rules: ${JSON.stringify(answer).slice(0, 300)}`);
  let best = Infinity;
  for (let batch = 0; batch < 5; batch++) {
    let count = 0;
    const from = process.cpuUsage();
    let used = 0;
    while (used < 200000) {
      for (let i = 0; i < 10; i++) statefulIsAuthorized(call);
      count += 10;
      const spent = process.cpuUsage(from);
      used = spent.user + spent.system;
    }
    best = Math.min(best, (used * 1000) / count);
  }
  console.log(JSON.stringify({ op, rules, ns: Math.round(best) }));
}

for (const rules of [10, 100, 1000, 10000]) {
  const set = `rules-${rules}`;
  const parsed = preparsePolicySet(set, { staticPolicies: policies(rules) });
  if (parsed.type !== "success") throw new Error(JSON.stringify(parsed));
  measure("CedarPermits", rules, request(set, `/tree${rules / 2}`), "allow");
  measure("CedarRefuses", rules, request(set, `/elsewhere${rules / 2}`), "deny");
}
