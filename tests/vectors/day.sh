# A day in the life of a host, for the ledger that each release records: runs in
# a VM, after the tests' canon was applied. Leaves go to standard output, one a
# line; what it did goes to standard error. See record-ledger.
{
	bash /root/guest/65-session.sh
	. /root/guest/lib.sh
	set -e

	# Receipts by hand: refused, exhausted, revoked, for a program alone.
	mkdir -p /srv/t /opt/t
	echo old >/srv/t/one
	echo old >/srv/t/two
	governed act "write /srv/t/one" || true
	not issue --rule t.write --object /etc/passwd
	not issue --rule nobody --object /srv/t/one
	not issue --rule t.write --object /srv/t --uses 1000001
	issue --rule t.one --uses 2
	governed act "write /srv/t/one" "write /srv/t/one" "write /srv/t/one" || true
	id=$(issue --rule t.write --object /srv/t/two --uses 5 --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])')
	governed act "write /srv/t/two" || true
	proofgate receipt revoke "$id" --reason "enough"
	governed act "write /srv/t/two" || true
	issue --rule t.write --object /srv/t/two --exe /usr/bin/python3.11 --uses 1
	governed act "write /srv/t/two" || true
	governed python3 -c 'open("/srv/t/two", "w")' || true
	governed python3 -c '
import socket
for _ in range(2):
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=2)
    except OSError as error:
        print(error)'
	issue --rule t.net --object tcp:127.0.0.1:9 --uses 3
	governed python3 -c '
import socket
try:
    socket.create_connection(("127.0.0.1", 9), timeout=2)
except OSError as error:
    print(error)'
	# A plan that nobody may have, and a session that is told to end.
	proofgate canon apply /tmp/canon-p.yaml
	for plan in '{"file":"/etc/shadow"}' '{"file":"/srv/p/out/a"}'; do
		session=$(proofgate session open --domain p)
		printf '{"format":1,"plans":[{"steps":[{"any":[{"kind":"write","object":%s,"uses":1}]}]}]}' "$plan" >/tmp/plan.json
		proofgate session complete "$session" /tmp/plan.json || true
		proofgate session next "$session" || true
		proofgate session abort "$session" || true
	done
	# A restart in between.
	systemctl restart proofgate
	await proofgate status
	governed act "write /srv/t/two" || true
	proofgate replay --all
	proofgate ledger checkpoint
	rm -rf /tmp/tiles
	proofgate ledger export --tiles /tmp/tiles
} >&2
trap - EXIT
python3 - <<'LEAVES'
import os

def bundles(root):
    """Paths in order of the number that the directories spell (c2sp.org/tlog-tiles)."""
    found = {}
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            number = "".join(part.lstrip("x").removesuffix(".p") for part in os.path.relpath(path, root).split("/")[:1 + path.count("/x")])
            if directory.endswith(".p"):
                number = "".join(part.lstrip("x").removesuffix(".p") for part in os.path.relpath(directory, root).split("/"))
            found[int(number)] = path if int(number) not in found or not directory.endswith(".p") else found[int(number)]
    return [found[number] for number in sorted(found)]

for path in bundles("/tmp/tiles/tile/entries"):
    data = open(path, "rb").read()
    while data:
        size = int.from_bytes(data[:2], "big")
        print(data[2:2 + size].decode("ascii"))
        data = data[2 + size:]
LEAVES
