# The gate loads and judges under lockdown=confidentiality, which takes probe
# reads of kernel memory away. What a kernel cannot do there is refused.
. /root/guest/lib.sh

ok "the kernel is locked down" grep -q '\[confidentiality\]' /sys/kernel/security/lockdown
ok "each kind is refused without a receipt" quietly proofgate doctor --prove
ok "doctor says how it stands" grep -q 'lockdown' <(proofgate doctor)
mkdir -p /srv/t
id=$(issue --rule t.write --object /srv/t)
same "a covered write" "$(governed act "create /srv/t/locked")" "create OK"
python3 - <<'PY' &
import socket
tcp = [socket.create_server(("127.0.0.1", 7090)), socket.create_server(("::1", 7090), family=socket.AF_INET6)]
for s in tcp: s.listen(16)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 7090))
open("/tmp/datagrams", "w").close()
open("/tmp/listening", "w").close()
while True:
    udp.recv(64)
    with open("/tmp/datagrams", "a") as f: f.write("one\n")
PY
server=$!
await test -e /tmp/listening
doors() { governed act "tcp 127.0.0.1 7090" "tcp ::1 7090" "sendto 127.0.0.1 7090"; }
with_control() { # with_control TYPE: sends with a control message for IP
	governed python3 /root/guest/try.py "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendmsg([b'with control'], [(socket.IPPROTO_IP, $1, bytes(4))], 0, ('127.0.0.1', 7090))
print('sent')"
}
refused=$(printf 'tcp EPERM\ntcp EPERM\nsendto EPERM')
same "no receipt, no connect and no send" "$(doors)" "$refused"
arrived() { (($(wc -l </tmp/datagrams) >= $1)); }
outside=0
no_other() { # what a process outside sends arrives after whatever was refused
	outside=$((outside + 1))
	act "sendto 127.0.0.1 7090" >/dev/null
	await arrived $outside
	[[ $(wc -l </tmp/datagrams) == "$outside" ]]
}
ok "and no datagram" no_other
issue --rule t.net >/dev/null
if grep -q ' bpf_rdonly_cast$' /proc/kallsyms; then
	same "with one, all" "$(doors)" "$(printf 'tcp OK\ntcp OK\nsendto OK')"
	ok "and the datagram arrived" await arrived 2
	same "control messages are read as well: what service is wanted" "$(with_control 1)" "sent"
	same "and a source route" "$(with_control 7)" "EPERM"
else
	same "this kernel cannot read addresses then: refused with one as well" "$(doors)" "$refused"
	ok "and no datagram" no_other
fi
kill $server
ok "the ledger agrees" quietly proofgate ledger reconcile
