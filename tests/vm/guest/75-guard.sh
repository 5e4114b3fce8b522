# The guard: nothing of Proofgate's own is in reach of a governed process, and
# what root outside changes in the gate is noticed and set right.
. /root/guest/lib.sh
PATH=$PATH:/root/guest

main=$(systemctl show -p MainPID --value proofgate.service)
sleep 1000 &
twin=$!
state_of() { grep -E '^Cpus_allowed:' "/proc/$1/status"; cat "/proc/$1/limits" "/proc/$1/oom_score_adj"; ps -o ni=,cls= -p "$1"; }

# Acts on the daemon, by every door; the twin is a process of the domain's own.
acts="nice affinity scheduler ioprio limit move_pages migrate_pages ptrace kill mem vm_write pidfd_kill"
before=$(state_of "$main")
same "no act reaches the daemon" "$(governed guard "$main" $acts)" "$(for act in $acts; do echo "$act EPERM"; done)"
same "it is as it was" "$(state_of "$main")" "$before"
same "nor a process that is not governed" "$(governed guard "$twin" nice affinity scheduler ioprio limit)" \
	"$(printf 'nice EPERM\naffinity EPERM\nscheduler EPERM\nioprio EPERM\nlimit EPERM')"
same "its own it may" "$(governed guard child nice affinity scheduler ioprio limit)" "$(printf 'nice OK\naffinity OK\nscheduler OK\nioprio OK\nlimit OK')"
guard "$twin" nice affinity limit >/tmp/outside
same "and root outside may as ever" "$(cat /tmp/outside)" "$(printf 'nice OK\naffinity OK\nlimit OK')"
governed guard "$main" sigio >/dev/null
same "a signal by F_SETOWN does not reach the daemon" "$(systemctl show -p MainPID --value proofgate.service)" "$main"
kill $twin

# Files: as they are, and under receipts that could not be had.
same "its files" "$(governed act "write /var/lib/proofgate/host_key" "create /var/lib/proofgate/x" "create /run/proofgate/x" \
	"unlink /run/proofgate/daemon.lock" "rename /var/lib/proofgate /var/lib/gone" "write /proc/$main/oom_score_adj" \
	"write /sys/fs/cgroup/system.slice/proofgate.service/memory.max" "write /sys/fs/cgroup/system.slice/proofgate.service/cgroup.freeze" \
	"write /sys/fs/cgroup/system.slice/proofgate.service/cgroup.kill" "exec /usr/bin/proofgate" "unix /run/proofgate/control.sock" | grep -v EPERM)" ""
cat /root/guest/canon.yaml - >/tmp/wide.yaml <<'YAML'
---
format: 1
tenant: test
domain: wide
mode: enforce
standing:
  - { id: base, profile: base }
rules:
  - { id: all, permit: write, in: [{ dir: /, depth: all }], limits: { ttl: "1h", uses: 1000 } }
  - { id: sock, permit: connect, to: [{ unix: /run/proofgate/control.sock }], limits: { ttl: "1h", uses: 1000 } }
YAML
ok "a rule may be wide" proofgate canon apply /tmp/wide.yaml
refused() { ! proofgate receipt issue --domain wide "$@" >/dev/null 2>/tmp/refused && grep -q "Proofgate's own" /tmp/refused; }
for object in / /var /var/lib '/var/lib/*' /var/lib/proofgate /run /usr /usr/sbin '/usr/sbin/*' /usr/sbin/proofgated /etc /etc/proofgate; do
	ok "no receipt is had for $object" refused --rule all --object "$object"
done
ok "nor without naming an object" refused --rule all
ok "nor for the socket" refused --rule sock
mkdir -p /srv/wide
had() { proofgate receipt issue --domain wide --rule all --object "$1" >/dev/null; }
ok "a neighbour's is had" had /srv/wide
same "and is good" "$(in_domain wide act "create /srv/wide/x")" "create OK"
ok "so is one in /var" had /var/log
# A directory under which ours comes to lie only later: the mark refuses.
mkdir -p /srv/wide/own
mount --bind /var/lib/proofgate /srv/wide/own
same "another name of ours, below a receipt" "$(in_domain wide act "create /srv/wide/own/x" "write /srv/wide/own/host_key")" "$(printf 'create EPERM\nwrite EPERM')"
ok "and its code says so" grep -q GUARDED <(proofgate why --last)
umount /srv/wide/own
ok "nothing is in the state directory" test ! -e /var/lib/proofgate/x
ok "the canon of before" proofgate canon apply /root/guest/canon.yaml

# Two daemons.
proofgated >/tmp/second 2>&1
same "a second daemon refuses" $? 1
ok "and says why" grep -q 'another daemon runs' /tmp/second
same "the first is the one it was" "$(systemctl show -p MainPID --value proofgate.service)" "$main"

# Who makes everything it sees read-only for itself is not in our way.
ok "a sandbox of systemd's starts" systemd-run -q --wait -p ProtectSystem=strict true
ok "one mount's flags in another namespace" unshare -m mount -o remount,bind,ro /run/proofgate/bpf
ok "not the file system's" not mount -o remount,ro /run/proofgate/bpf 2>/dev/null
ok "nor a mount over it" not mount --bind /srv /run/proofgate/bpf/maps 2>/dev/null

# Tampering by root outside, with bpf(): noticed, entered, set right.
tampered() { proofgate status --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["tampered"]))'; }
same "nothing was tampered with" "$(tampered)" 0
ok "doctor says so" grep -q '^ok *gate' <(proofgate doctor)
mkdir -p /srv/t /sys/fs/cgroup/kept
ok "a cgroup is governed" proofgate attach --domain t --cgroup /sys/fs/cgroup/kept
ok "root outside takes it out of the table" tamper forget-cgroup "$(stat -c %i /sys/fs/cgroup/kept)"
noticed() { (($(tampered) >= $1)); }
ok "it is noticed" await noticed 1
enter() { bash -c 'echo $$ >/sys/fs/cgroup/kept/cgroup.procs; exec act "create /srv/t/kept"' | cat; }
same "and governed again" "$(enter)" "create EPERM"
ok "root outside names itself the daemon" tamper set-daemon $$
ok "it is noticed" await noticed 2
ok "and the pins are still guarded" not rm /run/proofgate/bpf/maps/settings 2>/dev/null
id=$(issue --rule t.write --uses 1)
same "a receipt for one use" "$(governed act "create /srv/t/first" "create /srv/t/second")" "$(printf 'create OK\ncreate EPERM')"
ok "root outside gives it more" tamper more-uses
ok "it is noticed" await noticed 3
same "and the receipt is revoked" "$(governed act "create /srv/t/third")" "create EPERM"
ok "the ledger has an entry for each" test "$(proofgate ledger query --kind TAMPERED | wc -l)" -ge 3
ok "doctor warns" grep -q '^warning *gate' <(proofgate doctor)
ok "status shows it" grep -q '^TAMPERED: ' <(proofgate status)
proofgate detach --domain t --cgroup /sys/fs/cgroup/kept >/dev/null
