# Every way to reach an address: refused (and the listener sees nothing) without
# the right receipt, allowed with it.
. /root/guest/lib.sh

mkdir -p /srv/sink
rm -f /srv/sink/ready /srv/sink/log
echo "something to send" >/srv/source
sysctl -qw net.ipv4.tcp_fastopen=3
python3 /root/guest/sink.py &
sink=$!
trap 'kill $sink; finish' EXIT
await test -e /srv/sink/ready

ip4="tcp tcp_sendfile fastopen udp udp_reaim sendto sendmsg sendmmsg"
acts() { # acts PORT
	local verb
	for verb in $ip4; do echo "$verb 127.0.0.1 $1"; done
	for verb in tcp udp sendto; do echo "$verb ::1 $1"; done
	echo "tcp ::ffff:127.0.0.1 $1"
}
unix_acts="unix /srv/sink/stream|unix_dgram /srv/sink/dgram|unix_sendto /srv/sink/dgram"
seen() { wc -l </srv/sink/log; }
seen_is() { [[ $(seen) == "$1" ]]; }
# What an ungoverned process sends arrives after whatever a refused one sent.
expect_quiet() { # expect_quiet NAME COUNT-BEFORE
	act "tcp 127.0.0.1 7002" "udp 127.0.0.1 7002" "tcp ::1 7002" "udp ::1 7002" "unix /srv/sink/stream" "unix_sendto /srv/sink/dgram" >/dev/null
	await seen_is $(($2 + 6))
	same "$1: the listener saw nothing else" "$(seen)" $(($2 + 6))
}
all() { # all WANTED
	acts 7001 | sed "s/ .*/ $1/"
	tr '|' '\n' <<<"$unix_acts" | sed "s/ .*/ $1/"
}
run_all() { # run_all WHO
	mapfile -t list < <(acts 7001; tr '|' '\n' <<<"$unix_acts")
	if [[ $1 == nobody ]]; then act "${list[@]}"; else in_domain "$1" act "${list[@]}"; fi
}
touch /srv/sink/log

before=$(seen)
same "no receipt: all are refused" "$(run_all t)" "$(all EPERM)"
expect_quiet "no receipt" "$before"

other=$(issue --rule t.net --object 127.0.0.1:7002)
same "the receipt for the neighbour is good there" "$(governed act "tcp 127.0.0.1 7002")" "tcp OK"
before=$(($(seen) + 0))
await seen_is 7
before=7
same "receipt for another port: all are refused" "$(run_all t)" "$(all EPERM)"
expect_quiet "receipt for another port" "$before"
proofgate receipt revoke "$other" >/dev/null

net=$(issue --rule t.net --ttl 200ms)
ok "the receipt runs out" await state_is "$net" expired
before=$(seen)
same "expired: all are refused" "$(run_all t)" "$(all EPERM)"
expect_quiet "expired" "$before"

net=$(issue --rule t.net)
unix=$(issue --rule t.unix)
proofgate receipt revoke "$net" >/dev/null
proofgate receipt revoke "$unix" >/dev/null
before=$(seen)
same "revoked: all are refused" "$(run_all t)" "$(all EPERM)"
expect_quiet "revoked" "$before"

used_up=$(issue --rule t.net --object tcp:127.0.0.1:7001 --uses 2)
before=$(seen)
same "two uses and no third" "$(governed act "tcp 127.0.0.1 7001" "fastopen 127.0.0.1 7001" "tcp 127.0.0.1 7001")" \
	"$(printf 'tcp OK\nfastopen OK\ntcp EPERM')"
await seen_is $((before + 2))
expect_quiet "used up" $((before + 2))
same "the gate counted two" "$(used_of "$used_up")" 2

issue --rule t.net >/dev/null
issue --rule t.unix >/dev/null
before=$(seen)
same "right receipts: all are allowed" "$(run_all t)" "$(all OK)"
ok "right receipts: the listener saw all" await seen_is $((before + 15))

same "a socket that no receipt names" "$(governed act "unix /srv/sink/other")" "unix EPERM"
same "an abstract socket" "$(governed act "unix @sink")" "unix EPERM"
before=$(seen)
same "ungoverned: all are allowed" "$(run_all nobody)" "$(all OK)"
ok "ungoverned: the listener saw all" await seen_is $((before + 15))

same "socket families that are never open" "$(governed act packet rawsocket vsock)" \
	"$(printf 'packet EPERM\nrawsocket EPERM\nvsock EPERM')"

# A connection ends with its receipt.
net=$(issue --rule t.net --object 127.0.0.1:7001 --exe /usr/bin/python3)
proofgate receipt list --json | python3 -c '
import json, sys
for row in json.load(sys.stdin)["receipts"]:
    if row["rule"] == "t.net" and row["state"] == "live" and not row.get("exe"): print(row["id"])' |
	while read -r id; do proofgate receipt revoke "$id" >/dev/null; done
mkfifo /tmp/go-connect
cat >/tmp/talk.py <<'PY'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("127.0.0.1", 7001))
s.send(b"first")
print("ready", flush=True)
open("/tmp/go-connect").read()
try:
    s.send(b"second")
    print("sent")
except PermissionError:
    print("refused")
PY
before=$(seen)
governed python3 /tmp/talk.py >/tmp/talk.out 2>&1 &
job=$!
await grep -q ready /tmp/talk.out
proofgate receipt revoke "$net" >/dev/null
echo >/tmp/go-connect
wait $job
same "a connected socket ends with its receipt" "$(tail -n 1 /tmp/talk.out)" refused
