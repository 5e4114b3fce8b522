# Under load: the package is upgraded, by the same build and by another, while a
# receipt of 1,000 uses is being used; the daemon is killed every second under 64
# attackers, on processors that are busy. PROOFGATE_LONG: for a minute.
. /root/guest/lib.sh

reconciles() { proofgate ledger reconcile >/tmp/reconcile.out 2>&1 || { sed 's/^/# /' /tmp/reconcile.out; false; }; }
main_pid() { systemctl show -p MainPID --value proofgate.service; }
answers() { timeout 20 proofgate status >/dev/null 2>&1; }

mkdir -p /srv/t/up
: >/srv/t/up/file
id=$(issue --rule t.write --object /srv/t/up --uses 1000)
rm -f /tmp/enough
governed python3 /root/guest/load.py /srv/t/up/file 16 >/tmp/load.out 2>&1 &
load=$!
used() { (($(stat -c %s /srv/t/up/file) >= $1)); }
ok "the load runs" await used 20

# Another build: the same programs under another hash, as a package.
dpkg-deb -R /root/proofgate.deb /tmp/other
sed -i 's/layout_witness/layout_witnesz/g' /tmp/other/usr/sbin/proofgated
dpkg-deb -b /tmp/other /tmp/other.deb >/dev/null
build() { proofgate status | sed -n 's/.*build \([0-9a-f]*\).*/\1/p'; }
before=$(build)
ok "an upgrade to the same build" dpkg -i /root/proofgate.deb
ok "the daemon answers" await answers
same "it is the same gate" "$(build)" "$before"
ok "an upgrade to another build" dpkg -i /tmp/other.deb
ok "the daemon answers" await answers
ok "it is another gate" test "$(build)" != "$before"
ok "and the only one" test "$(find /run/proofgate/bpf -maxdepth 1 -name 'links-*' | wc -l)" = 1
same "uncovered acts were refused throughout" "$(governed act "create /srv/t/not-up")" "create EPERM"
all_used() { [[ $(used_of "$id") == 1000 ]]; }
for ((i = 0; i < 8; i++)); do await all_used >/dev/null && break; done
touch /tmp/enough
wait $load
same "exactly 1,000 acts" "$(cat /tmp/load.out)" 1000
same "each with its effect" "$(stat -c %s /srv/t/up/file)" 1000
same "each counted" "$(used_of "$id")" 1000
ok "each in the ledger" reconciles
same "no build was taken for tampering" "$(proofgate status --json | python3 -c 'import json, sys; print([d for d in json.load(sys.stdin)["tampered"] if "program" in d or "map" in d])')" "[]"
ok "back to the first" dpkg -i /root/proofgate.deb
ok "the daemon answers" await answers

# Attackers, and no daemon that lives longer than a second.
mkdir -p /srv/t/attack
seconds=12 && [[ ${PROOFGATE_LONG:-} ]] && seconds=60
before=$(proofgate status --json | python3 -c 'import json, sys; print([d["denials"] for d in json.load(sys.stdin)["domains"] if d["domain"] == "t"][0])')
busy=()
for ((i = 0; i < $(nproc); i++)); do
	while :; do :; done &
	busy+=($!)
done
governed timeout -s KILL $((seconds + 5)) act storm 64 100000000 create /srv/t/attack/x >/dev/null 2>&1 &
attack=$!
kills=0
for ((i = 0; i < seconds; i++)); do
	sleep 1
	pid=$(main_pid)
	[[ $pid != 0 ]] && kill -9 "$pid" && kills=$((kills + 1))
done
# The storm's children outlive timeout(1).
for pid in $(cat /sys/fs/cgroup/proofgate/t/run-*/cgroup.procs 2>/dev/null); do kill -9 "$pid" 2>/dev/null; done
wait $attack
kill "${busy[@]}"
ok "the daemon comes back" await answers
ok "it was killed $kills times" test "$kills" -ge 3
same "no attack had an effect" "$(ls /srv/t/attack)" ""
ok "and they were many" test "$(proofgate status --json | python3 -c 'import json, sys; print([d["denials"] for d in json.load(sys.stdin)["domains"] if d["domain"] == "t"][0])')" -gt $((before + 1000))
ok "none is unrecorded" reconciles
ok "the ledger is whole" proofgate ledger verify
