# The kinds bind, signal, capability and read: refused without a receipt, with
# one for a neighbour, an expired one and a used-up one; allowed with the right.
. /root/guest/lib.sh

ok "every hook of this kernel is classified" quietly \
	python3 /root/guest/hooks_test.py /root/guest/hooks.tsv /root/guest/pep.bpf.c /sys/kernel/btf/vmlinux

try() { # try DOMAIN PYTHON: prints what it printed, or the name of the errno
	in_domain "$1" python3 -B /root/guest/try.py "$2"
}
revoke() { proofgate receipt revoke "$1" >/dev/null; }

# ---- bind, listen, accept
bind4='s = socket.socket(); s.bind(("127.0.0.1", 7301)); s.listen(); print("OK")'
listens() { ss -Hltn "sport = :$1" | grep -q .; }
same "bind: no receipt" "$(try t "$bind4")" EPERM
neighbour=$(issue --rule t.bind --object tcp:127.0.0.1:7302)
same "bind: a neighbour's receipt" "$(try t "$bind4")" EPERM
revoke "$neighbour"
same "bind: revoked" "$(try t 's = socket.socket(); s.bind(("127.0.0.1", 7302)); print("OK")')" EPERM
once=$(issue --rule t.bind --object tcp:127.0.0.1:7301 --uses 1)
same "bind: with a receipt" "$(try t "$bind4")" OK
same "bind: used up" "$(try t "$bind4")" EPERM
same "bind: the gate counted one" "$(used_of "$once")" 1
same "listen without bind is a bind of any port" "$(try t 's = socket.socket(); s.listen(); print("OK")')" EPERM
same "bind: an address that the rule leaves out" "$(try t 's = socket.socket(); s.bind(("0.0.0.0", 7303)); print("OK")')" EPERM
same "bind: udp" "$(try t 's = socket.socket(type=socket.SOCK_DGRAM); s.bind(("127.0.0.1", 7301)); print("OK")')" EPERM
same "bind: an abstract name" "$(try t 's = socket.socket(socket.AF_UNIX); s.bind("\0governed"); print("OK")')" EPERM
same "bind: an ungoverned process may" "$(python3 -B /root/guest/try.py "$bind4")" OK
# A listener ends with its receipt: nothing more is taken in, nothing answered.
mkfifo /tmp/go-bind
live=$(issue --rule t.bind --object tcp:127.0.0.1:7304)
governed python3 -B /root/guest/try.py '
s = socket.socket(); s.bind(("127.0.0.1", 7304)); s.listen()
c, _ = s.accept(); c.send(b"one"); print("ready", flush=True)
open("/tmp/go-bind").read()
try: c.send(b"two"); print("sent")
except PermissionError: print("send refused")
c, _ = s.accept(); print("accepted")' >/tmp/bind.out 2>&1 &
job=$!
await listens 7304
python3 -c '
import socket, time
s = socket.create_connection(("127.0.0.1", 7304)); print(s.recv(3).decode(), flush=True)
t = socket.create_connection(("127.0.0.1", 7304)); s.recv(1)' >/tmp/bind.client 2>&1 &
client=$!
await grep -q ready /tmp/bind.out
revoke "$live"
echo >/tmp/go-bind
wait $job
same "bind: revoked, neither sends nor accepts" "$(tail -n 2 /tmp/bind.out | tr '\n' ' ')" "send refused EPERM "
same "bind: what it answered before arrived" "$(head -n 1 /tmp/bind.client)" one
kill $client 2>/dev/null

# ---- signal
mkdir -p /opt/t
cp /usr/bin/sleep /opt/t/victim
cp /usr/bin/sleep /opt/t/other
/opt/t/victim 1000 &
victim=$!
/opt/t/other 1000 &
other=$!
signal="os.kill($victim, signal.SIGTERM); print('OK')"
same "signal: no receipt" "$(try t "$signal")" EPERM
ok "signal: it lives" kill -0 $victim
used=$(issue --rule t.signal --uses 1)
same "signal: another program" "$(try t "os.kill($other, signal.SIGTERM); print('OK')")" EPERM
ok "signal: that lives" kill -0 $other
same "signal: to itself and its children" "$(try t 'import subprocess; p = subprocess.Popen(["sleep", "9"]); p.terminate(); print("OK" if p.wait() == -15 else "lives")')" OK
same "signal: with a receipt" "$(try t "$signal")" OK
wait $victim 2>/dev/null
same "signal: it ended by it" "$?" 143
/opt/t/victim 1000 &
victim=$!
same "signal: used up" "$(try t "os.kill($victim, signal.SIGTERM); print('OK')")" EPERM
ok "signal: the next lives" kill -0 $victim
same "signal: the gate counted one" "$(used_of "$used")" 1
kill $victim $other

# ---- capability
nice='os.nice(-5); print("OK")'
same "capability: no receipt" "$(try t "$nice")" EPERM
cap=$(issue --rule t.cap --object cap:sys_chroot)
same "capability: a neighbour's receipt" "$(try t "$nice")" EPERM
revoke "$cap"
cap=$(issue --rule t.cap --object cap:sys_nice --ttl 300ms)
ok "capability: the receipt runs out" await state_is "$cap" expired
same "capability: expired" "$(try t "$nice")" EPERM
issue --rule t.cap --object cap:sys_nice >/dev/null
same "capability: with a receipt" "$(try t "$nice")" OK

# ---- read
mkdir -p /srv/r/a /srv/r/b
echo secret >/srv/r/a/file
echo other >/srv/r/b/file
reads='print(open("/srv/r/a/file").read().strip())'
same "read: no receipt" "$(try r "$reads")" EPERM
same "read: another domain does not ask for it" "$(try t "$reads")" secret
receipt=$(proofgate receipt issue --domain r --rule r.read --object /srv/r/b)
same "read: a neighbour's receipt" "$(try r "$reads")" EPERM
revoke "$receipt"
receipt=$(proofgate receipt issue --domain r --rule r.read --object /srv/r/a --uses 1)
same "read: with a receipt" "$(try r "$reads")" secret
same "read: used up" "$(try r "$reads")" EPERM
exec 5</srv/r/a/file
same "read: an inherited descriptor" "$(try r 'print(os.read(5, 99).decode().strip())')" EPERM
same "read: mapping it" "$(try r 'import mmap; print(mmap.mmap(5, 0, prot=mmap.PROT_READ)[:6].decode())')" EPERM
exec 5<&-
receipt=$(proofgate receipt issue --domain r --rule r.read --object /srv/r/a)
same "read: again with a receipt" "$(try r "$reads")" secret

# ---- what is Proofgate's own, whatever the mode
same "our key is not read" "$(try t 'open("/var/lib/proofgate/host_key"); print("OK")')" EPERM
same "nor is the ledger" "$(try t 'os.listdir("/var/lib/proofgate/ledger"); print("OK")')" EPERM
ok "by an ungoverned administrator it is" test -r /var/lib/proofgate/host_key
