// The public MCP client against `proofgate mcp`: client.mjs PROOFGATE DIR, where
// DIR is that of a live_daemon. Prints one line for each thing that held.
import assert from "node:assert/strict";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { LATEST_PROTOCOL_VERSION } from "@modelcontextprotocol/sdk/types.js";

const [program, dir] = process.argv.slice(2);
const client = new Client({ name: "proofgate-test", version: "1" });
const transport = new StdioClientTransport({ command: program, args: ["mcp", "--socket", `${dir}/session.sock`] });
let agreed;
transport.setProtocolVersion = (version) => (agreed = version);
await client.connect(transport);
assert.equal(agreed, LATEST_PROTOCOL_VERSION);
assert.equal(client.getServerVersion().name, "proofgate");
console.log(`revision ${agreed}`);

const { tools } = await client.listTools();
console.log(`tools ${tools.map((tool) => tool.name).join(" ")}`);
const call = async (name, args = {}) => {
  const result = await client.callTool({ name, arguments: args });
  return { refused: result.isError === true, ...(result.structuredContent ?? JSON.parse(result.content[0].text)) };
};

const rights = await call("list_rights");
assert.deepEqual(rights.rules.map((rule) => rule.rule), ["free", "pub"]);
const early = await call("show_session");
assert.ok(early.refused && early.error.includes("no session is open"));
assert.equal((await call("open_session", { duration_ms: 600000 })).refused, false);
assert.ok((await call("open_session")).refused, "one session at a time");
const step = (path) => ({ any: [{ kind: "write", object: { file: path }, uses: 1 }] });
const denied = await call("explain_denial");
assert.ok(denied.refused && denied.error.includes("nothing was refused"));
assert.ok((await call("add_evidence", { kind: "model output", content: "Grüße, \u0000 and \u{1f512}" })).digest.length === 64);
const decided = await call("propose_plans", { plans: { format: 1, plans: [{ steps: [step(`${dir}/free/a`), step(`${dir}/pub/a`)] }] } });
assert.equal(decided.code, "PERMITTED");
assert.equal((await call("next_step")).state, "executing");
const waits = await call("next_step", { status: 0 });
assert.ok(waits.refused && waits.data.decision === "APPROVAL_MISSING");
assert.equal((await call("abort_session", { why: "enough" })).state, "aborted");
await assert.rejects(client.callTool({ name: "approve", arguments: {} }), /one of the tools/);
await assert.rejects(client.request({ method: "resources/list", params: {} }, { parse: (x) => x }), /no method|not support/);
await client.ping();
await client.close();
console.log("a session was opened, judged, refused a step, and ended");
