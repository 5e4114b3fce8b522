# Who is governed: labels stick, whatever the process does.
. /root/guest/lib.sh

mkdir -p /srv/t
child_of() { cat "/proc/$1/task/$1/children"; }
canwrite() { # the act of a governed process that tells
	act "create /srv/t/scope-$RANDOM$RANDOM"
}
export -f canwrite

same "a child is governed" "$(governed bash -c canwrite)" "create EPERM"
same "a grandchild in its own session is" "$(governed setsid bash -c '(canwrite)')" "create EPERM"
same "a process cannot leave by cgroup.procs" "$(governed act "leave /sys/fs/cgroup/cgroup.procs")" "leave EPERM"
# Root outside moves it out: it stays governed.
mkfifo /tmp/go-scope
governed bash -c 'echo ready; read -r _ </tmp/go-scope; canwrite' >/tmp/moved.out 2>&1 &
job=$!
await grep -q ready /tmp/moved.out
mkdir -p /sys/fs/cgroup/outside
for pid in $(cat /sys/fs/cgroup/proofgate/t/run-*/cgroup.procs); do echo "$pid" >/sys/fs/cgroup/outside/cgroup.procs; done
ok "root outside moves it" test -n "$(cat /sys/fs/cgroup/outside/cgroup.procs)"
echo >/tmp/go-scope
wait $job
same "moved out, it stays governed" "$(tail -n 1 /tmp/moved.out)" "create EPERM"

# Threads that run already, at attach.
cat >/tmp/threads.py <<'PY'
import threading, time, os, sys
go = threading.Event()
def work(n):
    go.wait()
    try:
        open(f"/srv/t/thread-{n}", "w").close()
    except PermissionError:
        pass
threads = [threading.Thread(target=work, args=(n,)) for n in range(20)]
for t in threads: t.start()
print("ready", flush=True)
open("/tmp/go-threads").read()
go.set()
for t in threads: t.join()
PY
mkfifo /tmp/go-threads
mkdir -p /sys/fs/cgroup/attached
bash -c 'echo $$ >/sys/fs/cgroup/attached/cgroup.procs; exec python3 /tmp/threads.py' >/tmp/threads.out 2>&1 &
job=$!
await grep -q ready /tmp/threads.out
ok "attach to what runs already" proofgate attach --domain t --cgroup /sys/fs/cgroup/attached
echo >/tmp/go-threads
wait $job
same "none of its threads wrote" "$(find /srv/t -name 'thread-*' | wc -l)" 0
bash -c 'echo $$ >/sys/fs/cgroup/attached/cgroup.procs; exec act "create /srv/t/entered"' | cat >/tmp/entered.out
same "who enters the cgroup later is governed" "$(cat /tmp/entered.out)" "create EPERM"
mkdir /sys/fs/cgroup/attached/below
bash -c 'echo $$ >/sys/fs/cgroup/attached/below/cgroup.procs; exec act "create /srv/t/entered"' | cat >/tmp/entered.out
same "or a cgroup below it" "$(cat /tmp/entered.out)" "create EPERM"
# A service manager and the child that it forked both put the child into its cgroup; the manager may be first.
cat >/tmp/enter.py <<'PY'
import os, sys

def tries(name, path):
    try:
        fd = os.open("/sys/fs/cgroup/" + path + "/cgroup.procs", os.O_WRONLY)
        os.write(fd, b"0")
        print(name, "OK", flush=True)
    except PermissionError:
        print(name, "EPERM", flush=True)

if len(sys.argv) > 1:
    tries("its own, after it has executed a program", "attached")
    sys.exit(0)
from_manager, to_child = os.pipe()
child = os.fork()
if child == 0:
    os.read(from_manager, 1)
    tries("its own", "attached")
    tries("its own once more", "attached")
    tries("another", "attached/below")
    os.execl("/usr/bin/python3", "python3", "/tmp/enter.py", "again")
fd = os.open("/sys/fs/cgroup/attached/cgroup.procs", os.O_WRONLY)
os.write(fd, b"%d" % child)
os.write(to_child, b"x")
os.waitpid(child, 0)
PY
same "a forked child enters the cgroup where it is already" "$(/usr/bin/python3 /tmp/enter.py | cat)" "its own OK
its own once more EPERM
another EPERM
its own, after it has executed a program EPERM"
ok "detach" proofgate detach --json --domain t --cgroup /sys/fs/cgroup/attached
bash -c 'echo $$ >/sys/fs/cgroup/attached/cgroup.procs; exec act "create /srv/t/entered"' | cat >/tmp/entered.out
same "after the detach it is not governed" "$(cat /tmp/entered.out)" "create OK"
rm -rf /srv/t/entered

# A unit, and one process.
mkfifo /tmp/go-unit
systemd-run -q --unit=victim.service --service-type=exec bash -c 'read -r _ </tmp/go-unit; act "create /srv/t/unit"; echo done; sleep 1000'
ok "attach a unit" proofgate attach --domain t --unit victim.service
echo >/tmp/go-unit
victim_tried() { [[ $(proofgate ledger query --kind DENY | grep -c '/srv/t/unit') -gt 0 ]]; }
ok "the unit tried" await victim_tried
ok "the unit did not write" test ! -e /srv/t/unit
systemctl stop victim.service
ok "a unit that does not run is an error" not proofgate attach --domain t --unit victim.service 2>/dev/null
sleep 1000 &
victim=$!
ok "attach a process" proofgate attach --domain t --pid $victim
ok "it is in a governed cgroup" grep -q proofgate/t/pid- /proc/$victim/cgroup
kill $victim

# Birth in a governed cgroup while many are born: nobody slips out.
mkdir -p /srv/t/storm
same "200 births in a storm: none writes" "$(governed act storm 200 5 create /srv/t/storm/x)" 0
ok "and nothing is there" test -z "$(ls /srv/t/storm)"
status=$(proofgate status --json)
same "no label was lost" "$(python3 -c 'import json,sys; print(json.loads(sys.argv[1])["labels_lost"])' "$status")" 0
same "no scope had to be repaired" "$(python3 -c 'import json,sys; print(json.loads(sys.argv[1])["scope_repairs"])' "$status")" 0
