# The gate loads and judges under lockdown=confidentiality, which takes probe
# reads of kernel memory away. What a kernel cannot do there is refused.
. /root/guest/lib.sh

ok "the kernel is locked down" grep -q '\[confidentiality\]' /sys/kernel/security/lockdown
ok "each kind is refused without a receipt" proofgate doctor --prove
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
open("/tmp/listening", "w").close()
while True: open("/tmp/datagrams", "ab").write(udp.recv(64) + b"\n")
PY
server=$!
await test -e /tmp/listening
doors() { governed act "tcp 127.0.0.1 7090" "tcp ::1 7090" "sendto 127.0.0.1 7090"; }
refused=$(printf 'tcp EPERM\ntcp EPERM\nsendto EPERM')
same "no receipt, no connect and no send" "$(doors)" "$refused"
ok "and no datagram" test ! -e /tmp/datagrams
issue --rule t.net >/dev/null
if grep -q ' bpf_rdonly_cast$' /proc/kallsyms; then
	same "with one, all" "$(doors)" "$(printf 'tcp OK\ntcp OK\nsendto OK')"
	ok "and the datagram arrived" await test -s /tmp/datagrams
else
	same "this kernel cannot read addresses then: refused with one as well" "$(doors)" "$refused"
	ok "and no datagram" test ! -e /tmp/datagrams
fi
kill $server
ok "the ledger agrees" proofgate ledger reconcile
