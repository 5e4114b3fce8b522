# Random system calls from inside a governed cgroup, by processes that also hold
# descriptors of the outside: no effect beyond the grant, nothing of ours gone, no
# word of the kernel's that something broke. PROOFGATE_LONG: for ten minutes.
. /root/guest/lib.sh

seconds=30 && [[ ${PROOFGATE_LONG:-} ]] && seconds=600
seed=${PROOFGATE_SEED:-$(date +%s)}
echo "# seed $seed"
mkdir -p /srv/f/own/d /srv/f/not/d /srv/sink /sys/fs/cgroup/fuzz
for file in own/a own/b own/d/x not/a not/b not/d/x; do echo before >/srv/f/$file; done
ln -s ../not/a /srv/f/own/link
mkfifo /srv/f/not/fifo
cp /usr/bin/true /srv/f/not/exec
for file in a b d; do setfattr -n user.kept -v 1 /srv/f/not/$file; done
rm -f /srv/sink/ready /srv/sink/log
python3 /root/guest/sink.py &
sink=$!
sleep 100000 &
victim=$!
trap 'kill $sink $victim; finish' EXIT
await test -e /srv/sink/ready
ok "a cgroup is governed" proofgate attach --domain f --cgroup /sys/fs/cgroup/fuzz
proofgate receipt issue --domain f --rule f.write >/dev/null
proofgate receipt issue --domain f --rule f.net >/dev/null

# What the calls may not change, outside the files.
daemon() { systemctl show -p MainPID,NRestarts --value proofgate.service; }
task() { stat -c %U "/proc/$1"; grep -E '^(Cpus_allowed|State|SigBlk|CoreDumping):' "/proc/$1/status" | sed 's/S (.*/S/'; cat "/proc/$1"/{limits,oom_score_adj,comm,cgroup}; ps -o ni=,cls=,rtprio= -p "$1"; ionice -p "$1"; }
system() {
	hostname
	cat /proc/{mounts,swaps,modules,sysvipc/msg,sysvipc/sem,sysvipc/shm}
	awk '{ $3 = $4 = ""; print }' /proc/keys # but how many use it, and for how long
	ip address && ip route && ip rule && ip neigh show nud permanent
	sysctl -a 2>/dev/null | grep -vE '^(fs\.(dentry-state|inode|file-nr|quota)|kernel\.(random|ns_last_pid|pty\.nr|cad_pid)|net\.netfilter|fs\.aio-nr)'
	find /sys/fs/cgroup -name cgroup.freeze -path '*fuzz*' -prune -o -name 'pids.max' -print0 -o -name memory.max -print0 | sort -z | xargs -0 grep -H . | grep -v -e proofgate.service -e 'run-'
	ls /dev/shm /dev/mqueue 2>/dev/null
}
clock() { python3 -c 'import time; print(round(time.clock_gettime(time.CLOCK_REALTIME) - time.clock_gettime(time.CLOCK_BOOTTIME)))'; }
tampered() { proofgate status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["tampered"])'; }
not_tampered=$(tampered)
not_daemon=$(daemon)
not_task=$(task $victim)
pid1=$(task 1)
outside=$(python3 /root/guest/snap.py /srv/f | grep -v ^own)
inside=$(python3 /root/guest/snap.py /srv/f | grep ^own)
system >/tmp/system.before
offset=$(clock)
dmesg -C
touch /tmp/began

fuzz /sys/fs/cgroup/fuzz "$seconds" "$seed" $victim "$(systemctl show -p MainPID --value proofgate.service)" </dev/null >/tmp/fuzz.out 2>&1
same "the calls are made" $? 0
sed 's/^/# /' /tmp/fuzz.out

same "the daemon is the one it was" "$(daemon)" "$not_daemon"
same "so is a process outside" "$(task $victim)" "$not_task"
same "and the first" "$(task 1)" "$pid1"
same "files outside the grant are as they were" "$(python3 /root/guest/snap.py /srv/f | grep -v ^own)" "$outside"
ok "those inside are not" test "$(python3 /root/guest/snap.py /srv/f | grep ^own)" != "$inside"
same "no other file of the disk has changed" "$(find / -xdev -cnewer /tmp/began \
	-not -path '/srv/f/own*' -not -path '/srv/sink*' -not -path '/tmp*' -not -path '/var/lib/proofgate*' -not -path '/var/log*' -print)" ""
system >/tmp/system.after
same "nor anything else of the system" "$(diff /tmp/system.before /tmp/system.after)" ""
ok "the clock goes on" test $(($(clock) - offset)) -ge -2 -a $(($(clock) - offset)) -le 2
# What an ungoverned process sends arrives after whatever a refused one sent.
python3 -c 'import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 7001))'
await grep -q udp4-7001 /srv/sink/log
same "no listener outside has heard anything" "$(sort /srv/sink/log | grep -v -e -7002 | uniq -c | sed 's/^ *//')" "1 udp4-7001"
ok "one that the receipt names has" grep -q -e -7002 /srv/sink/log
same "the kernel has no complaint" "$(dmesg | grep -E 'WARNING|BUG|Oops|Call Trace|general protection|stall|hung task|unreferenced|refcount|use-after' | head)" ""
ok "refusals were many" test "$(proofgate status --json | python3 -c 'import json, sys; print([d["denials"] for d in json.load(sys.stdin)["domains"] if d["domain"] == "f"][0])')" -gt 1000
reconciles() { proofgate ledger reconcile >/tmp/reconcile.out 2>&1 || { sed 's/^/# /' /tmp/reconcile.out; false; }; }
ok "each act is in the ledger" reconciles
same "nothing was tampered with" "$(tampered)" "$not_tampered"
proofgate detach --domain f --cgroup /sys/fs/cgroup/fuzz >/dev/null
