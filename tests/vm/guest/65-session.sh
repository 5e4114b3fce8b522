# An agent's session, end to end: plans, approvals, steps, replay elsewhere.
. /root/guest/lib.sh

mkdir -p /srv/p/repo /srv/p/out /opt/p
# The installed one is guarded; a domain that is to run the client gets a copy.
cp /usr/bin/proofgate /opt/p/proofgate
for file in /srv/p/repo/fix /srv/p/out/a; do echo old >$file; done
for person in alice carol; do
	rm -f /tmp/$person /tmp/$person.pub
	ssh-keygen -q -t ed25519 -N '' -f /tmp/$person
done
{
	cat /root/guest/canon.yaml
	cat <<-CANON
		---
		format: 1
		tenant: test
		domain: p
		mode: enforce
		standing:
		  - { id: base, profile: base }
		  - { id: client, exec: [{ file: /opt/p/proofgate }] }
		  - { id: door, connect: [{ unix: /run/proofgate/session.sock }] }
		optr: { order: [cost, risk], max_risk_ppm: 20000, max_cost: 500, min_success_ppm: 900000 }
		estimates:
		  - { for: write, ttv_us: 1000, cost: [1, 10], risk_ppm: [1, 100], irreversibility: 0, success_ppm: [990000, 1000000] }
		approvers:
		  - { person: alice, roles: [release], keys: ["$(cat /tmp/alice.pub)"] }
		  - { person: bob, roles: [release], uids: [65534] }
		  - { person: carol, roles: [security], keys: ["$(cat /tmp/carol.pub)"] }
		break_glass: { role: release, review: security, max: "15m", rules: [p.publish] }
		rules:
		  - { id: p.fix, permit: write, in: [{ dir: /srv/p/repo, depth: all }], limits: { ttl: "10m", uses: 10 } }
		  - { id: p.publish, permit: write, in: [{ dir: /srv/p/out, depth: all }], limits: { ttl: "10m", uses: 10 }, approvals: { count: 2, role: release }, lease: { resource: out, mode: exclusive } }
		  - { id: p.never, forbid: write, in: [{ dir: /etc, depth: all }] }
	CANON
} >/tmp/canon-p.yaml
ok "a canon with terms is applied" proofgate canon apply /tmp/canon-p.yaml

proofgate run --domain p --session -- python3 /root/guest/agent.py >/tmp/agent.out 2>/tmp/agent.err &
job=$!
ok "the agent works until it must wait for people" await grep -q waiting /tmp/agent.out
id=$(proofgate session list --json | python3 -c '
import json, sys
print([s["session"] for s in json.load(sys.stdin)["sessions"] if s["state"] == "executing"][0])')
proofgate session show "$id" --statement >/tmp/statement
ssh-keygen -q -Y sign -n approval@proofgate -f /tmp/alice /tmp/statement 2>/dev/null
ok "a person approves with a signature made elsewhere" proofgate approve "$id" --signature /tmp/statement.sig
ok "it verifies without us" ssh-keygen -q -Y verify -n approval@proofgate -I alice -s /tmp/statement.sig \
	-f <(echo "alice $(cat /tmp/alice.pub)") </tmp/statement
not proofgate approve "$id" 2>/dev/null
same "uid 0 is no approver that canon names" $? 0
ok "another approves as the user that he is" setpriv --reuid 65534 --regid 65534 --clear-groups proofgate approve "$id"
wait $job
same "the agent ended" $? 0
same "each step had an effect only under its own receipt, in order" "$(cat /tmp/agent.out)" "$(
	cat <<-'LINES'
		session open True
		before EPERM
		why NO_RECEIPT
		evidence True
		not a plan invalid
		decided PERMITTED cheap
		decided only EPERM
		step 1 executing OK EPERM
		step 2 APPROVAL_MISSING EPERM
		waiting
		step 2 executing OK EPERM
		end closed EPERM
	LINES
)" || cat /tmp/agent.err
same "the files are as the agent wrote them" "$(cat /srv/p/repo/fix /srv/p/out/a)" "$(printf 'by the agent\nby the agent')"
same "the session is closed, both steps done" \
	"$(proofgate session show "$id" --json | python3 -c 'import json, sys; s = json.load(sys.stdin); print(s["state"], *(x["state"] for x in s["steps"]))')" \
	"closed done done"

same "a child acts with a part of its parent's rights, and no longer than it" \
	"$(proofgate run --domain p --session -- python3 /root/guest/child.py 2>/tmp/child.err)" "$(
		cat <<-'LINES'
			wider DELEGATION_WIDER
			not its own NO_ADMISSIBLE_PLAN
			child True True
			deeper DELEGATION_TOO_DEEP
			judged PERMITTED
			step executing OK EPERM
			parent True its receipt OK
			ended aborted EPERM
		LINES
	)"

sign() { ssh-keygen -q -Y sign -n break-glass@proofgate -f "/tmp/$1" "$2" 2>/dev/null; }
proofgate break-glass draft --domain p --rule p.publish --object /srv/p/out/a --person alice --for 10m --reason 'nobody answers' >/tmp/glass
sign alice /tmp/glass
same "without approvals nothing is published" "$(in_domain p act "write /srv/p/out/a")" "write EPERM"
ok "a person whom canon names breaks the glass" quietly proofgate break-glass use /tmp/glass --signature /tmp/glass.sig
same "and that works once" "$(in_domain p act "write /srv/p/out/a" "write /srv/p/out/a")" "$(printf 'write OK\nwrite EPERM')"
same "and serves once" "$(proofgate break-glass use /tmp/glass --signature /tmp/glass.sig --json 2>&1 | grep -o BREAK_GLASS_SPENT | head -n 1)" BREAK_GLASS_SPENT
same "it stays in status" "$(proofgate status | grep -c 'BREAK-GLASS, not reviewed: .* by alice')" 1
glass=$(proofgate break-glass list --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["break_glass"][0]["id"])')
review() { proofgate break-glass review "$glass" --verdict justified --reason test "$@"; }
review --statement >/tmp/review
sign alice /tmp/review
ok "who used it does not review it" not review --signature /tmp/review.sig 2>/dev/null
rm /tmp/review.sig
sign carol /tmp/review
ok "somebody else does" quietly review --signature /tmp/review.sig
same "then it is gone from status" "$(proofgate status | grep -c BREAK-GLASS)" 0

mcp() { # mcp LINE…: the lines as an MCP client inside the domain would send them
	printf '%s\n' "$@" | proofgate run --domain p -- /opt/p/proofgate mcp
}
same "an MCP client gets the rights of the domain that it is in" "$(mcp \
	'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}' \
	'{"jsonrpc":"2.0","method":"notifications/initialized"}' \
	'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"list_rights","arguments":{}}}' | python3 -c '
import json, sys
first, second = [json.loads(line) for line in sys.stdin]
print(first["result"]["protocolVersion"], second["result"]["structuredContent"]["domain"], *(r["rule"] for r in second["result"]["structuredContent"]["rules"]))')" \
	"2025-11-25 p p.fix p.never p.publish"
same "a governed process gets no word at the doors for others" \
	"$(in_domain p python3 -c '
import socket
for door in ("control", "approve"):
    s = socket.socket(socket.AF_UNIX)
    try:
        s.connect("/run/proofgate/%s.sock" % door)
        print(door, "connected")
    except PermissionError:
        print(door, "EPERM")')" "$(printf 'control EPERM\napprove EPERM')"

proofgate session open --domain p >/tmp/other
printf '%s' '{"format":1,"plans":[{"steps":[{"any":[{"kind":"write","object":{"file":"/srv/p/repo/fix"},"uses":5}]}]}]}' >/tmp/plan.json
ok "an operator's session is judged" proofgate session complete "$(cat /tmp/other)" /tmp/plan.json
ok "its step gets a receipt" proofgate session next "$(cat /tmp/other)"
same "which works" "$(in_domain p act "write /srv/p/repo/fix")" "write OK"
ok "an emergency stop" proofgate stop --domain p --reason test
same "ends it" "$(proofgate session show "$(cat /tmp/other)" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["state"])')" "aborted"
ok "and the domain runs nothing more" not proofgate run --domain p -- true 2>/dev/null
ok "until it is resumed" proofgate resume --domain p
same "when acts need receipts as before" "$(in_domain p act "write /srv/p/repo/fix")" "write EPERM"

exact() { proofgate replay --all "$@" >/tmp/replay.out || { sed 's/^/# /' /tmp/replay.out; false; }; }
ok "replay makes every decision again, exactly" exact
ok "a signed head" quietly proofgate ledger checkpoint
ok "an export" quietly proofgate ledger export --tiles /tmp/tiles
ok "and from an export, without the ledger" exact --ledger /tmp/tiles
proofgate canon apply /root/guest/canon.yaml >/dev/null
