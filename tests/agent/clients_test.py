#!/usr/bin/env python3
"""The clients against a live daemon: clients_test.py SOURCE LIVE_DAEMON CLIENT_C PROOFGATE

The generated Python module and the C library (through CLIENT_C) each open a
session, are refused, propose, wait for an approval, act and close; an MCP client
does so through `proofgate mcp`."""

import json
import os
import subprocess
import sys

source, daemon, client_c, product = sys.argv[1:]
sys.path.insert(0, os.path.join(source, "agent", "clients"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import proofgate  # noqa: E402
from live import Daemon, plans  # noqa: E402


def same(got, wanted, what):
    if got != wanted:
        sys.exit("%s: got %r, wanted %r" % (what, got, wanted))


def refused(call, code, part):
    try:
        got = call()
    except proofgate.Refused as error:
        same(error.code, code, "the code of %s" % error)
        same(part in str(error), True, "%r in %r" % (part, str(error)))
        return error
    sys.exit("not refused: %r" % got)


def python_client(gate_dir):
    governed = proofgate.Governed(gate_dir + "/session.sock")
    same([rule["rule"] for rule in governed.rights()["rules"]], ["free", "pub"], "rights")
    refused(governed.session_show, "not found", "no session is open")
    session = governed.session_open(duration_ms=600_000)["session"]
    refused(governed.session_open, "invalid", "end it first")
    refused(lambda: governed.session_complete("{}"), "invalid", "expected")
    evidence = governed.session_evidence("model output", content=b"\xff\x00 any bytes")
    same(len(evidence["digest"]), 64, "a digest")
    decided = governed.session_complete(plans(gate_dir + "/free/a", gate_dir + "/pub/a"))
    same(decided["code"], "PERMITTED", "the decision")
    same(governed.session_next()["state"], "executing", "step 1")
    error = refused(lambda: governed.session_next(status=0), "denied", "approval")
    same(error.data["decision"], "APPROVAL_MISSING", "the decision of step 2")
    with proofgate.Approvers(gate_dir + "/approve.sock") as approver:
        same(approver.session_approve(session, "approve", reason="why not")["person"], "bob", "who approved")
    same(governed.session_next()["state"], "executing", "step 2")
    same(governed.session_next()["state"], "closed", "the end")
    governed.close()
    with proofgate.Operators(gate_dir + "/control.sock") as operator:
        same([s["state"] for s in operator.session_list()["sessions"]], ["closed"], "what operators see")
        entries = operator.ledger_entries(0, 1000)["entries"]
        same([e["kind"] for e in entries if e["kind"] in ("SESSION_OPEN", "DECIDED", "APPROVAL", "SESSION_END")],
             ["SESSION_OPEN", "DECIDED", "APPROVAL", "SESSION_END"], "the ledger")
        refused(lambda: operator.ask("session.list", {"unknown": 1}), "invalid", "unknown parameter")
        refused(lambda: operator.ask("no.such", {}), None, "no method")
    try:
        proofgate.Governed(gate_dir + "/nobody.sock")
        sys.exit("a daemon that is not there answered")
    except proofgate.Unreachable:
        pass


with Daemon(daemon) as gate_dir:
    python_client(gate_dir)
with Daemon(daemon) as gate_dir:
    done = subprocess.run([client_c, gate_dir], stdout=subprocess.PIPE, text=True)
    same((done.returncode, done.stdout), (0, """rights 1
show refused: not found
opened 1
evidence 64
bytes b64
complete refused: invalid
decided PERMITTED
step executing
next refused: denied APPROVAL_MISSING
approved bob
step executing
step closed
size beyond 10
no method refused
"""), "the C client")


def mcp_client(gate_dir):
    """By the letter of the protocol; tests/agent/mcp_public has the public client."""
    server = subprocess.Popen([product, "mcp", "--socket", gate_dir + "/session.sock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(message):
        server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        server.stdin.flush()

    def ask(method, **params):
        ask.id += 1
        say({"id": ask.id, "method": method, "params": params})
        answer = json.loads(server.stdout.readline())
        same(answer["id"], ask.id, "the id")
        return answer

    def tool(name, **arguments):
        result = ask("tools/call", name=name, arguments=arguments)["result"]
        return result["isError"], json.loads(result["content"][0]["text"])

    ask.id = 0
    hello = ask("initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "t", "version": "1"})["result"]
    same(hello["protocolVersion"], "2025-11-25", "the revision")
    say({"method": "notifications/initialized"})
    same(tool("list_rights")[1]["domain"], "d", "the rights")
    same(tool("next_step")[0], True, "a step without a session")
    same(tool("open_session")[0], False, "a session")
    same(tool("propose_plans", plans=json.loads(plans(gate_dir + "/free/a")))[1]["code"], "PERMITTED", "the decision")
    same(tool("next_step")[1]["state"], "executing", "step 1")
    same(tool("abort_session")[1]["state"], "aborted", "the end")
    same(ask("no/such")["error"]["code"], -32601, "no such method")
    server.stdin.close()
    same((server.wait(10), server.stdout.read()), (0, ""), "the end of the server")


with Daemon(daemon) as gate_dir:
    mcp_client(gate_dir)
