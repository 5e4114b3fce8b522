#!/usr/bin/env python3
"""Records the frozen corpus of one semantics_id.

    record.py VECTORS ID

Makes the cases anew from a fixed seed, has VECTORS (the program of this build)
answer them, and writes ID.jsonl beside this script. A corpus that is there is
never written over: docs/format/replay.md says when another id is due."""

import base64
import json
import os
import random
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "model"))
import compare  # noqa: E402
import optr  # noqa: E402


def numbers(value):
    """As canonical JSON has them: those beyond 2^53 are strings."""
    if isinstance(value, dict):
        return {key: numbers(member) for key, member in value.items()}
    return optr.integer(value) if isinstance(value, int) and not isinstance(value, bool) else value


def gate(rng):
    for _ in range(20000):
        yield numbers(compare.some_gate_case(rng))


def selections(rng):
    for _ in range(2500):
        canon = compare.some_canon(rng)
        yield {"canon": canon, "plans": compare.some_plans(rng, canon, 3, 3), "snapshot": compare.some_snapshot(rng, canon)}


def requests(rng):
    for _ in range(3000):
        canon = compare.some_canon(rng)
        for key in ("estimates", "budgets", "optr", "blast"):
            canon.pop(key, None)
        for rule in canon["rules"]:
            for key in ("budget", "rate", "duties", "needs", "leases"):
                if rng.random() < 0.8:
                    rule.pop(key, None)
        rule = rng.choice(canon["rules"])
        request = {"rule": rule["id"] if rng.random() < 0.95 else "nobody"}
        if rng.random() < 0.8:
            request["object"] = rng.choice(rule["objects"]) if rng.random() < 0.5 else compare.some_object(rng, rule["kind"])
        if rng.random() < 0.05:
            request["object"] = {"tree": rng.choice(["/", "/var", "/var/lib/proofgate", "/run/proofgate/bpf"])}
        if rng.random() < 0.4:
            request["ttl_ns"] = rng.choice([0, 1, 10**9, 10**10, 10**11])
        if rng.random() < 0.4:
            request["uses"] = rng.choice([0, 1, 5, 100, 101])
        if rng.random() < 0.2:
            request["exe"] = rng.choice(["/bin/a", "bin/../a"])
        if rng.random() < 0.5:
            request["from_session"] = 1
        yield {"canon": canon, "request": request}


SESSION_CANON = {
    "format": 1, "tenant": "t", "domain": "d", "mode": "enforce", "standing": [],
    "optr": {"order": ["cost"], "max_risk_ppm": 20000, "max_cost": 500, "min_success_ppm": 1},
    "estimates": [{"kind": "write", "ttv_us": [1, 1], "cost": [10, 10], "risk_ppm": [1, 1], "irreversibility": [0, 0],
                   "success_ppm": [10**6, 10**6]}],
    "budgets": [{"id": "m", "limit": 45, "window_ns": 3600 * 10**9}],
    "blast": {"objects": 20, "hosts": 0, "window_ns": 3600 * 10**9},
    "approvers": [{"person": "alice", "roles": ["finance"], "keys": [], "uids": [1002]}, {"person": "bob", "roles": ["finance", "ops"], "keys": [], "uids": [1001]},
                  {"person": "carol", "roles": ["finance"], "keys": [], "uids": [1000]}],
    "rules": [
        {"id": "free", "effect": "permit", "kind": "write", "objects": [{"tree": "/srv/free"}], "ttl_ns": 600 * 10**9, "uses": 10,
         "budget": "m", "rate": {"uses": 15, "window_ns": 60 * 10**9}},
        {"id": "publish", "effect": "permit", "kind": "write", "objects": [{"tree": "/srv/pub"}], "ttl_ns": 600 * 10**9, "uses": 10,
         "approvals": [{"count": 2, "role": "finance", "ttl_ns": 3600 * 10**9}, {"count": 1, "role": "ops", "ttl_ns": 3600 * 10**9}],
         "leases": [{"mode": "exclusive", "resource": "pub"}], "duties": {"apart_from": ["free"], "window_ns": 3600 * 10**9}},
        {"id": "tree", "effect": "permit", "kind": "write", "objects": [{"tree": "/srv/tree"}], "ttl_ns": 600 * 10**9, "uses": 10,
         "leases": [{"mode": "exclusive"}]}]}


def sessions(rng):
    """Histories of some sessions at once; what may not follow is in them too."""
    for _ in range(60):
        now = 1_700_000_000_000
        ops, live, count = [], [], 0
        for _ in range(30):
            now += rng.randrange(300_000)
            if len(live) < 4 and rng.random() < 0.5:
                live.append("s%d" % count)
                count += 1
                ops.append({"entry": {"kind": "SESSION_OPEN", "body": {
                    "session": live[-1], "domain": "d", "principal": "uid:%d" % rng.choice([1000, 2000, 2001]), "cgroup_id": 0,
                    "at_ms": now, "deadline_ms": now + rng.choice([600_000, 3_600_000])}}})
                continue
            session = rng.choice(live) if live and rng.random() < 0.95 else "nobody"
            what = rng.random()
            if what < 0.12:
                child = "c%d" % len(ops)
                rule = rng.choice(["free", "tree", "publish", "nobody"])
                right = {"rule": rule}
                if rng.random() < 0.6:
                    right["objects"] = [{"file": rng.choice(["/srv/free/a", "/srv/tree/a", "/etc/a"])}]
                if rng.random() < 0.6:
                    right["uses"] = rng.choice([1, 5, 11])
                ops.append({"delegate": {"session": child, "parent": session, "rights": [right], "now_ms": now, "max_uses": rng.choice([1, 5, 100]),
                                         "deadline_ms": now + rng.choice([100_000, 1_000_000, 10_000_000]), "max_cost": rng.choice([0, 10, 600])}})
                live.append(child)
            elif what < 0.4:
                steps = [{"any": [{"kind": "write", "object": {"file": rng.choice(["/srv/free/", "/srv/pub/", "/srv/tree/"]) + rng.choice("abc")},
                                   "uses": rng.randrange(1, 4)}]} for _ in range(rng.randrange(1, 3))]
                ops.append({"decide": {"session": session, "now_ms": now, "salt": "%x" % rng.randrange(1 << 32),
                                       "plans": {"format": 1, "plans": [{"steps": steps}]}}})
            elif what < 0.55:
                ops.append({"approve": {"session": session, "person": rng.choice(["alice", "bob", "carol", "mallory"]), "at_ms": now,
                                        "verdict": rng.choice(["approve", "approve", "approve", "deny"])}})
            elif what < 0.65:
                ops.append({"next": {"session": session, "now_ms": now}})
            elif what < 0.9:
                receipt = "r%d" % len(ops)
                ops.append({"next": {"session": session, "now_ms": now}})
                ops.append({"issue": {"session": session, "receipt": receipt}})
                ops.append({"entry": {"kind": "OUTCOME", "body": {
                    "session": session, "step": rng.choice([0, 0, 1]), "receipt": receipt,
                    "result": rng.choice(["done", "done", "unused", "failed", "indeterminate"]), "used": rng.randrange(0, 3)}}})
            else:
                ops.append({"entry": {"kind": "SESSION_END", "body": {
                    "session": session, "state": rng.choice(["closed", "aborted", "expired", "open"]), "reason": "test"}}})
        yield {"canon": SESSION_CANON, "ops": ops}


TEXTS = [
    """format: 1
tenant: t
domain: d
mode: enforce
rules:
  - { id: b, permit: write, in: [{ dir: /srv/b, depth: all }, { file: /srv/a }], limits: { ttl: 10m, uses: 3 } }
  - { id: a, permit: connect, to: [{ cidr: "10.20.0.0/16", port: 5432, proto: tcp }], limits: { ttl: 1h, uses: 100 } }
  - { id: never, forbid: write, in: [{ dir: /etc, depth: all }] }
""",
    """format: 1
tenant: t
domain: d
attach: { unit: d.service }
mode: observe
standing:
  - { id: io, write: [{ class: [pipe, tty, devnull] }, { dir: /run/d, depth: all }] }
optr: { order: [risk, irreversibility, ttv, cost], max_risk_ppm: 20000, max_cost: 500, min_success_ppm: 900000 }
estimates: [{ for: write, ttv_us: 1, cost: [1, 10], risk_ppm: 1, irreversibility: 0, success_ppm: [990000, 1000000] }]
rules:
  - { id: x, permit: exec, of: [{ file: /opt/x }], argv: { exact: [/opt/x, "-v"] }, limits: { ttl: 1m, uses: 1 } }
""",
    "format: 1\ntenant: t\ndomain: d\nmode: enforce\nrules: [{ id: a, permit: write, in: [{ dir: /srv/../etc }], limits: { ttl: 1m, uses: 1 } }]\n",
    "format: 1\ntenant: t\ndomain: d\nmode: enforce\nrules: [{ id: a, permit: write, in: [{ file: /a }] }]\n",
    "format: 1\ntenant: t\ndomain: d\nmode: enforce\nrules: [{ id: a, permit: write, in: [{ file: /a }], limits: { ttl: 1.5m, uses: 1 } }]\n",
    "format: 1\ntenant: t\ndomain: d\nmode: enforce\nwhatever: 1\n",
    "format: 1\ntenant: t\ndomain: d\nmode: [enforce\n",
]


def canons(rng):
    for text in TEXTS:
        yield {"text": {"b64": base64.b64encode(text.encode()).decode()}}

    def plain():
        canon = compare.some_canon(rng)
        for rule in canon["rules"]:
            if rng.random() < 0.7:
                for key in ("budget", "rate", "duties", "needs", "leases"):
                    rule.pop(key, None)
        return {key: canon[key] for key in ("format", "tenant", "domain", "mode", "standing", "rules")}
    for _ in range(60):
        canon = plain()
        acts = []
        for _ in range(8):
            rule = rng.choice(canon["rules"])
            where = compare.some_object(rng, rule["kind"])
            if rule["kind"] == "connect":
                where = {"cidr": where["cidr"].split("/")[0] + "/32", "port": rng.choice([80, 443]), "proto": rng.choice(["tcp", "udp"])}
            else:
                where = {"file": list(where.values())[0]}
            acts.append({"kind": rule["kind"], "object": where})
        yield {"canon": canon, "acts": acts}
    for _ in range(400):
        before, after = plain(), plain()
        if rng.random() < 0.6:
            after = {**before, "rules": [rule for rule in before["rules"] if rng.random() < 0.7]}
            if rng.random() < 0.5:
                before, after = after, before
        yield {"before": before, "after": after}


def of_code(case, answer):
    return [answer["code"]]


def of_failures(case, answer):
    if "chosen" in answer:
        return ["chosen", "chosen of %d" % len(answer["candidates"])]
    return sorted({f["code"] for c in answer["candidates"] for f in c["failures"]})


def of_canon(case, answer):
    if "before" in case:
        return [answer["relation"], "subset " + answer["subset"]]
    return sorted({a["verdict"] for a in answer}) if "acts" in case else [case["text"]["b64"]]


# By id: what makes the cases, what a case shows, and how many times each of these
# is kept; None: all cases.
MAKERS = {"gate-1": (gate, of_code, 40), "optr-1": (selections, of_failures, 9), "pdp-1": (requests, of_code, 30),
          "session-1": (sessions, None, 0), "proofgate-canon-1": (canons, of_canon, 12)}
MOST_BYTES = 10_000  # of one case; larger ones show nothing that smaller ones do not


def kept(lines, shows, most):
    counts = {}
    for line in lines:
        if shows:
            case = json.loads(line)
            shown = shows(case["input"], case["output"])
            if len(line) > MOST_BYTES or all(counts.get(one, 0) >= most for one in shown):
                continue
            for one in shown:
                counts[one] = counts.get(one, 0) + 1
        yield line


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, semantics = sys.argv[1:]
    if semantics not in MAKERS:
        sys.exit("%s: nothing here makes its cases; add a maker" % semantics)
    maker, shows, most = MAKERS[semantics]
    path = os.path.join(HERE, semantics + ".jsonl")
    if os.path.exists(path):
        sys.exit("%s: frozen; decisions that changed need another id" % path)
    cases = b"".join(optr.encode(case) + b"\n" for case in maker(random.Random(1)))
    answers = subprocess.run([program, "record", semantics], input=cases, stdout=subprocess.PIPE, check=True).stdout
    lines = list(kept(answers.splitlines(), shows, most))
    with open(path, "xb") as file:
        file.writelines(line + b"\n" for line in lines)
    print("%s: %d decisions" % (path, len(lines)))


if __name__ == "__main__":
    main()
