# The daemon as a service: it dies, restarts, stops; enforcement goes on.
. /root/guest/lib.sh

reconciles() { proofgate ledger reconcile >/tmp/reconcile.out || { sed 's/^/# /' /tmp/reconcile.out; false; }; }
mkdir -p /srv/t/service /opt/t /opt/other
mkfifo /tmp/go-service
id=$(issue --rule t.write --object /srv/t/service)
governed bash -c 'echo ready; while read -r what; do act "$what"; done' </tmp/go-service >/tmp/service.out 2>&1 &
job=$!
exec 9>/tmp/go-service
await grep -q ready /tmp/service.out
lines_are() { [[ $(wc -l </tmp/service.out) -ge $1 ]]; }
do_act() { # do_act ACT: the governed shell does it, and we see what it says
	local lines
	lines=$(wc -l </tmp/service.out)
	echo "$1" >&9
	await lines_are $((lines + 1))
	tail -n 1 /tmp/service.out
}
same "a receipt is good" "$(do_act "create /srv/t/service/a")" "create OK"

systemctl stop proofgate.service
same "stopped: the receipt is still good" "$(do_act "create /srv/t/service/b")" "create OK"
same "stopped: what it does not cover is refused" "$(do_act "create /srv/t/not-covered")" "create EPERM"
proofgate status >/dev/null 2>&1
same "stopped: the command line says that nobody answers" $? 4
systemctl start proofgate.service
same "started: the receipt is still good" "$(do_act "create /srv/t/service/c")" "create OK"
same "started: it is the same receipt" "$(used_of "$id")" 3
ok "started: the ledger has what happened in between" reconciles
ok "the gate was not loaded again" grep -q '"took_up":true' <(proofgate ledger query --kind START --json | tail -n 1)

before=$(systemctl show -p MainPID --value proofgate.service)
kill -9 "$before"
another() { local pid; pid=$(systemctl show -p MainPID --value proofgate.service); [[ $pid != 0 && $pid != "$before" ]] && proofgate status >/dev/null 2>&1; }
ok "killed, it comes back" await another
same "and the receipt is still good" "$(do_act "create /srv/t/service/d")" "create OK"

# The gate's own file system, for every task on the host.
systemctl stop proofgate.service
rm -f /run/proofgate/bpf/links-*/* /run/proofgate/bpf/maps/* 2>/dev/null
ok "nobody takes the pins away" test -e "$(ls -d /run/proofgate/bpf/links-* | head -1)/pep_file_open"
ok "or moves them" not mv /run/proofgate/bpf/maps/settings /run/proofgate/bpf/maps/gone 2>/dev/null
systemctl start proofgate.service
same "and the receipt is still good" "$(do_act "create /srv/t/service/e")" "create OK"
ok "and the ledger agrees" reconciles
stored() { [[ $(systemctl show -p NFileDescriptorStore --value proofgate.service) == $(find /run/proofgate/bpf -type f | wc -l) ]]; }
ok "PID 1 holds each map, ring and link too" await stored

ok "nobody but the daemon unmounts the gate's file system" not umount /run/proofgate/bpf 2>/dev/null
ok "nor lazily" not umount -l /run/proofgate/bpf 2>/dev/null
ok "a second daemon does not start" not timeout 20 proofgated 2>/dev/null
main=$(systemctl show -p MainPID --value proofgate.service)
same "a governed process reaches neither the daemon nor bpf()" "$(governed act bpf "ptrace $main" "kill $main" "mem $main" "umount /run/proofgate/bpf" "mount /mnt" unshare)" \
	"$(printf 'bpf EPERM\nptrace EPERM\nkill EPERM\nmem EPERM\numount EPERM\nmount EPERM\nunshare EPERM')"
same "nor its files" "$(governed act "write /var/lib/proofgate/host_key" "unlink /run/proofgate/bpf/maps/settings" "write /sys/fs/cgroup/cgroup.procs")" \
	"$(printf 'write EPERM\nunlink EPERM\nwrite EPERM')"
same "the daemon lives" "$(systemctl show -p MainPID --value proofgate.service)" "$main"
sleep 1000 &
same "nor does it signal who is not governed" "$(governed act "kill $!")" "kill EPERM"
ok "who lives" kill $!

exec 9>&-
wait $job

# The canon: all or nothing, and receipts follow it.
cp /root/guest/canon.yaml /tmp/broken.yaml
echo "  - { id: bad, permit: fly }" >>/tmp/broken.yaml
entries=$(proofgate ledger tail -n 1 | awk '{print $1}')
proofgate canon apply /tmp/broken.yaml >/tmp/apply.out 2>&1
same "a broken canon is refused" $? 1
ok "with file, line and column" grep -q '^/tmp/broken.yaml:[0-9]*:[0-9]*: error: ' /tmp/apply.out
proofgate canon check /tmp/broken.yaml >/dev/null 2>&1
same "and by check" $? 1
ok "nothing was applied" cmp -s /root/guest/canon.yaml <(proofgate canon show)
id=$(issue --rule t.exec)
sed 's,/opt/t,/opt/other,' /root/guest/canon.yaml >/tmp/other.yaml
ok "another canon applies" proofgate canon apply /tmp/other.yaml
ok "and what it does not permit is revoked" state_is "$id" revoked
ok "the first again" proofgate canon apply /root/guest/canon.yaml
issue --rule t.write --object /etc/passwd >/dev/null 2>&1
same "outside the rule is refused" $? 1
issue --rule t.write --uses 2000000 >/dev/null 2>&1
same "more uses than the rule allows are refused" $? 1
issue --rule t.write --ttl 2h >/dev/null 2>&1
same "more time than the rule allows is refused" $? 1
issue --rule none >/dev/null 2>&1
same "a rule that is not there is refused" $? 1
proofgate receipt >/dev/null 2>&1
same "usage is 2" $? 2
proofgate doctor --prove >/tmp/prove.out
same "doctor --prove" $? 0 || sed "s/^/# /" /tmp/prove.out
proofgate doctor --prove >/tmp/prove.out
same "and at once again" $? 0 || sed "s/^/# /" /tmp/prove.out
ok "every command has JSON" python3 - <<'PY'
import json, subprocess
for command in ("status", "canon show", "receipt list", "doctor", "why --last", "ledger verify", "ledger reconcile", "ledger checkpoint"):
    out = subprocess.run(["proofgate", *command.split(), "--json"], capture_output=True, text=True).stdout
    json.loads(out)
PY
same "run gives the command's status" "$(governed bash -c 'exit 7'; echo $?)" 7
same "and a signal as shells do" "$(governed bash -c 'kill -9 $$' 2>/dev/null; echo $?)" 137
same "not found is 127" "$(governed no-such-program 2>/dev/null; echo $?)" 127
governed bash -c 'echo to a file; echo and an error >&2' >/tmp/run.out 2>/tmp/run.err
same "output to a file" "$(cat /tmp/run.out)" "to a file"
same "errors to a file" "$(cat /tmp/run.err)" "and an error"
same "input from a file" "$(governed cat </etc/hostname)" "$(cat /etc/hostname)"

# Stock tools.
id=$(issue --rule t.write)
proofgate receipt show "$id" --export /tmp/evidence >/dev/null
ok "ssh-keygen accepts a receipt" ssh-keygen -Y verify -f /tmp/evidence/allowed_signers -I host@proofgate \
	-n receipt@proofgate -s /tmp/evidence/receipt.sig </tmp/evidence/receipt.json
sed -i 's/"uses":1000000/"uses":2000000/' /tmp/evidence/receipt.json
ok "and not a changed one" not ssh-keygen -Y verify -f /tmp/evidence/allowed_signers -I host@proofgate \
	-n receipt@proofgate -s /tmp/evidence/receipt.sig </tmp/evidence/receipt.json
