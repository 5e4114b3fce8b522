# Fail closed: each fault is injected, and what then happens is one row of
# docs/fail-closed.md ("#row", collected by tests/vm/run). A row is printed only
# when everything that was looked at for it held.
. /root/guest/lib.sh
PATH=$PATH:/root/guest

row_failed=
ok() { # as lib.sh, and remembers for the row
	local name="$fault: $1"
	shift
	tap_number=$((tap_number + 1))
	if "$@"; then echo "ok $tap_number - $name"; else
		echo "not ok $tap_number - $name"
		row_failed=1
	fi
}
same() {
	tap_number=$((tap_number + 1))
	if [[ $2 == "$3" ]]; then echo "ok $tap_number - $fault: $1"; else
		echo "not ok $tap_number - $fault: $1"
		printf '%s\n' "$2" | head -n 20 | sed 's/^/# got:    /'
		printf '%s\n' "$3" | head -n 20 | sed 's/^/# wanted: /'
		row_failed=1
	fi
}
fault() { fault=$1 row_failed=; }
# row REFUSED CODE KEPT RECOVERS SEEN
row() { [[ $row_failed ]] || echo "#row|$fault|$1|$2|$3|$4|$5"; }

codes() { # codes DOMAIN: what the gate counted, "CODE N" a line
	python3 - "$1" <<'PY'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect("/run/proofgate/control.sock")
s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"counters","params":{}}\n')
answer = json.loads(s.makefile().readline())
for code, count in answer["result"]["after"]["domains"][sys.argv[1]]["codes"].items(): print(code, count)
PY
}
counted() { codes "$1" | grep -q "^$2 "; }
reconciles() { proofgate ledger reconcile >/tmp/reconcile.out 2>&1 || { sed 's/^/# /' /tmp/reconcile.out; false; }; }
bystander() { # who is not governed notices nothing
	echo x >/srv/bystander && cat /srv/bystander >/dev/null && /bin/true && rm /srv/bystander
}
main_pid() { systemctl show -p MainPID --value proofgate.service; }
answers() { timeout 20 proofgate status >/dev/null 2>&1; }
another() { local pid; pid=$(main_pid); [[ $pid != 0 && $pid != "$1" ]] && answers; }

mkdir -p /srv/s /srv/t /srv/boot
# Two governed processes, there before any fault.
declare -A in out
serve() { # serve DOMAIN
	rm -f "/tmp/to-$1"
	mkfifo "/tmp/to-$1"
	in_domain "$1" python3 -u /root/guest/server.py <"/tmp/to-$1" 2>&1 | cat >"/tmp/from-$1" &
	exec {in[$1]}>"/tmp/to-$1"
	await grep -q ready "/tmp/from-$1"
}
tell() { # tell DOMAIN COMMAND: what it answers
	local lines
	lines=$(wc -l <"/tmp/from-$1")
	echo "$2" >&"${in[$1]}"
	for ((tries = 0; tries < 600; tries++)); do
		(($(wc -l <"/tmp/from-$1") > lines)) && break
		sleep 0.05
	done
	tail -n 1 "/tmp/from-$1"
}
serve s
serve t
id=$(issue --rule t.write --object /srv/t/covered --uses 100000)

fault "none: the twin of all below"
same "a covered act" "$(tell s "append /srv/s/file")" OK
same "an uncovered act" "$(tell s "append /srv/t/not")" EPERM
same "a covered act under a receipt" "$(tell t "append /srv/t/covered")" OK
same "a fork" "$(tell s fork)" OK
ok "a bystander" bystander
row "uncovered acts" NO_RECEIPT "everything" "-" "proofgate why"

fault "table full: labels"
tamper fill labels >/dev/null
same "a fork" "$(tell s fork)" EAGAIN
same "who is governed already goes on" "$(tell s "append /srv/s/file")" OK
mkdir -p /sys/fs/cgroup/full
sleep 1000 &
echo $! >/sys/fs/cgroup/full/cgroup.procs
ok "an attach that cannot label is refused" not proofgate attach --domain t --cgroup /sys/fs/cgroup/full 2>/dev/null
ok "and leaves the cgroup as it was" kill $!
cgroup=$(grep -l . /sys/fs/cgroup/proofgate/t/run-*/cgroup.procs | head -1)
bash -c 'echo $$ >'"$cgroup"'; exec act "create /srv/t/unlabelled"' >/dev/null 2>&1
ok "who enters without a label does nothing" test ! -e /srv/t/unlabelled
ok "a bystander" bystander
tamper drain labels
same "afterwards a fork" "$(tell s fork)" OK
ok "the code was counted" counted s LABEL_TABLE_FULL
ok "and that of the unlabelled" counted t SCOPE_UNKNOWN
row "forks (EAGAIN) of governed processes; every act of a process that enters unlabelled" "LABEL_TABLE_FULL, SCOPE_UNKNOWN" "governed processes that run" "when threads end" "proofgate status: LABELS LOST"

fault "table full: openings"
tamper fill openings >/dev/null
same "a covered opening" "$(tell s "append /srv/s/file")" EPERM
ok "a bystander" bystander
tamper drain openings
same "afterwards" "$(tell s "append /srv/s/file")" OK
ok "the code was counted" counted s OPENINGS_FULL
row "openings for writing, connects" OPENINGS_FULL "openings that are there" "when files are closed" "proofgate why"

mkdir -p /srv/t/below # its own row: the directory of a file that is not there yet has one
for table in grants addresses; do
	rule=(t.write --object /srv/t/below) && [[ $table == addresses ]] && rule=(t.net)
	fault "table full: $table"
	ok "the table is filled" quietly tamper fill $table
	other=$(issue --rule "${rule[@]}" 2>/tmp/issue)
	same "a new receipt" "$?$other" 1
	ok "why" grep -q 'table is full' /tmp/issue
	same "a receipt of before" "$(tell t "append /srv/t/covered")" OK
	same "an uncovered act" "$(tell t "append /srv/t/not")" EPERM
	tamper drain $table
	other=$(issue --rule "${rule[@]}")
	same "afterwards a receipt" $? 0
	proofgate receipt revoke "$other" >/dev/null
	row "new receipts (exit 1)" "$table: the table is full" "receipts of before" "when receipts end" "REVOKE entry: not installed"
done

fault "table full: receipts for one object"
: >/srv/t/shared
many() { # many METHOD: issues to the end and prints how many, or revokes those
	python3 - "$1" <<'PY'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect("/run/proofgate/control.sock")
lines = s.makefile()
def ask(method, **params):
    s.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
    return json.loads(lines.readline())
if sys.argv[1] == "revoke":
    for id in open("/tmp/many"): ask("receipt.revoke", id=id.strip())
    sys.exit()
ids = []
while "result" in (answer := ask("receipt.issue", domain="t", rule="t.write", object="/srv/t/shared")): ids.append(answer["result"]["id"])
open("/tmp/many", "w").write("\n".join(ids))
print(len(ids), answer["error"]["message"])
PY
}
issued=$(many issue)
same "as many as an object has room for" "${issued%% *}" 64
ok "why" grep -q 'more than 64 live receipts name one object' <<<"$issued"
same "they are good" "$(tell t "append /srv/t/shared")" OK
same "a receipt of before" "$(tell t "append /srv/t/covered")" OK
same "an uncovered act" "$(tell t "append /srv/t/not")" EPERM
many revoke
same "afterwards it is not covered" "$(tell t "append /srv/t/shared")" EPERM
row "new receipts for that object (exit 1)" "more than 64 live receipts name one object" "receipts of before" "when receipts for it end" "its message"

fault "table full: governed cgroups"
tamper fill governed_cgroups >/dev/null
in_domain s true >/tmp/run 2>&1
ok "a new command is not started" test $? -ne 0
same "who is governed stays so" "$(tell s "append /srv/t/not")" EPERM
tamper drain governed_cgroups
ok "afterwards it is" in_domain s true
row "attach and run" "govern a cgroup: Argument list too long" "governed cgroups of before" "when cgroups go" "exit status 1 of the command"

fault "walk bound reached"
deep=/srv/s
for ((i = 0; i < 60; i++)); do deep+=/d; done
mkdir -p $deep
same "an act 60 directories below its grant" "$(tell s "append $deep/file")" EPERM
ok "is without effect" test ! -e $deep/file
same "one 20 below" "$(tell s "append ${deep:0:46}/file")" OK
ok "the code was counted" counted s WALK_BOUND
row "acts more than 48 directories below their grant" WALK_BOUND "the rest of the tree" "a receipt for a directory nearer by" "proofgate why"

fault "daemon killed"
before=$(main_pid)
kill -9 "$before"
same "an uncovered act" "$(tell s "append /srv/t/not")" EPERM
same "a covered act" "$(tell t "append /srv/t/covered")" OK
ok "it comes back" await another "$before"
ok "what happened in between is in the ledger" reconciles
row "uncovered acts; new receipts" NO_RECEIPT "live receipts until they run out; records in the ring" "systemd starts it again" "exit 4 of the command line; START entry"

fault "daemon hung (SIGSTOP), watchdog"
mkdir -p /run/systemd/system/proofgate.service.d
printf '[Service]\nWatchdogSec=10\n' >/run/systemd/system/proofgate.service.d/50-watchdog.conf
systemctl daemon-reload
systemctl restart proofgate.service
before=$(main_pid)
kill -STOP "$before"
same "an uncovered act" "$(tell s "append /srv/t/not")" EPERM
same "a covered act" "$(tell t "append /srv/t/covered")" OK
ok "the watchdog brings it back" await another "$before"
ok "the ledger agrees" reconciles
rm -r /run/systemd/system/proofgate.service.d
systemctl daemon-reload
systemctl restart proofgate.service
row "uncovered acts; new receipts" NO_RECEIPT "live receipts until they run out; records in the ring" "the watchdog kills it after 30 s, systemd starts it again" "journal: watchdog timeout"

fault "canon invalid"
sed 's/permit: write/permit: fly/' /root/guest/canon.yaml >/tmp/bad.yaml
proofgate canon apply /tmp/bad.yaml >/tmp/apply 2>&1
same "it is refused" $? 1
same "a receipt of before" "$(tell t "append /srv/t/covered")" OK
same "an uncovered act" "$(tell t "append /srv/t/not")" EPERM
ok "the canon of before is in force" cmp -s /root/guest/canon.yaml <(proofgate canon show)
row "the whole canon" "file:line:column: error" "the canon in force, receipts" "a canon without mistakes" "proofgate canon check"

journal_says() { journalctl -q -u proofgate.service --since "@$since" -o cat | grep -q "$1"; }
says() { # says WORDS: the journal, since the fault began
	await journal_says "$1" && return
	journalctl -q -u proofgate.service --since "@$since" -o cat | grep -v systemd | sort | uniq -c | sort -rn | head -n 8 | sed 's/^/# journal: /'
	return 1
}
since=0
began() { since=$(date +%s); }
state=/var/lib/proofgate
room() { # room KIB: what is left on the state's file system, by a file beside
	local left
	rm -f $state/filler
	left=$(df -k --output=avail $state | tail -1)
	head -c $(((left - $1) * 1024)) /dev/zero >$state/filler 2>/dev/null
}
systemctl stop proofgate.service
cp -a $state /root/state
mount -t tmpfs -o "mode=700,size=$(($(du -sk $state | cut -f1) + 102400))k" none $state
cp -a /root/state/. $state/
systemctl start proofgate.service

fault "ledger device nearly full"
before=$(main_pid)
ok "the ledger is on a disk of its own" answers
same "while there is room, a covered act" "$(tell t "append /srv/t/covered")" OK
room 12000
other=$(issue --rule t.write --object /srv/t/new 2>/tmp/issue)
same "no receipt is issued" "$?$other" 1
ok "why" grep -q DISK_FULL /tmp/issue
same "an uncovered act" "$(tell t "append /srv/t/not")" EPERM
same "nothing that was not issued is good" "$(tell t "append /srv/t/new")" EPERM
same "an act under a receipt of before" "$(tell t "append /srv/t/covered")" OK
ok "acts and denials are still written: each has its entry" reconciles
is_full() { proofgate status --json | grep -q '"disk_full": *true'; }
ok "the daemon says so" is_full
same "and is the one it was" "$(main_pid)" "$before"
ok "a bystander" bystander
cat /dev/zero >>$state/filler 2>/dev/null # to the last byte: the store has room in its own file
same "with no byte left, an uncovered act" "$(tell t "append /srv/t/not")" EPERM
same "and an act under a receipt of before" "$(tell t "append /srv/t/covered")" OK
ok "each has its entry" reconciles
rm $state/filler
there_is_room() { # looked at with each commit
	tell t "append /srv/t/covered" >/dev/null
	! is_full
}
ok "with room again" await there_is_room
other=$(issue --rule t.write --object /srv/t/new)
same "a receipt" $? 0
proofgate receipt revoke "$other" >/dev/null
row "new receipts, renewals, canon" DISK_FULL "live receipts until they run out; acts and denials are written to 64 MiB that were kept back" "when there is room again" "proofgate status: the disk is full; proofgate doctor"

systemctl stop proofgate.service
rm -rf /root/state
cp -a $state /root/state
umount $state
cp -a /root/state/. $state/

disk_fault() { # disk_fault NUMBER WORDS
	began
	echo "$1" >/run/eio
	other=$(issue --rule t.write --object /srv/t/new 2>/tmp/issue)
	ok "no receipt is issued" test "$?$other" != 0
	same "an uncovered act" "$(tell s "append /srv/t/not")" EPERM
	same "an act under a receipt of before" "$(tell t "append /srv/t/covered")" OK
	same "nothing that was not issued is good" "$(tell t "append /srv/t/new")" EPERM
	ok "a bystander" bystander
	ok "the journal says why" says "$2"
	rm /run/eio
	ok "afterwards the daemon answers" await answers
	ok "the ledger is whole" quietly proofgate ledger verify
	ok "each act has its entry" reconciles
	row "new receipts, canon, attach" "the daemon ends: $2" "live receipts until they run out; records in the ring until it is full" "when the disk takes writes again" "journal; exit 4; systemctl status"
}
mkdir -p /run/systemd/system/proofgate.service.d
printf '[Service]\nEnvironment=LD_PRELOAD=/root/guest/eio.so\n' >/run/systemd/system/proofgate.service.d/50-eio.conf
systemctl daemon-reload
systemctl restart proofgate.service
fault "ledger device full (ENOSPC)"
disk_fault 28 "No space left on device"
fault "ledger device broken (EIO)"
disk_fault 5 "Input/output error"
fault "ledger remounted read-only (EROFS)"
disk_fault 30 "Read-only file system"
rm -r /run/systemd/system/proofgate.service.d
systemctl daemon-reload
systemctl restart proofgate.service

start_fault() { # start_fault SEEN: the daemon was stopped and something broken
	began
	systemctl start proofgate.service 2>/dev/null
	ok "the daemon does not start" not answers
	same "an uncovered act" "$(tell s "append /srv/t/not")" EPERM
	ok "a bystander" bystander
	ok "it says why" says "$1"
	systemctl stop proofgate.service
}
fault "ledger corrupt (RocksDB)"
systemctl stop proofgate.service
cp -a $state/ledger /root/ledger
for file in $state/ledger/store/MANIFEST-*; do dd if=/dev/urandom of="$file" bs=512 count=1 conv=notrunc 2>/dev/null; done
start_fault Corruption
rm -rf $state/ledger
mv /root/ledger $state/ledger
systemctl start proofgate.service
same "afterwards a receipt of before" "$(tell t "append /srv/t/covered")" OK
row "uncovered acts; new receipts; units that canon names do not start at boot" NO_RECEIPT "live receipts until they run out" "the ledger from a backup that is no older than the anchor" "journal; exit 4"

fault "host key missing"
systemctl stop proofgate.service
mv $state/host_key /root/host_key
start_fault host_key
mv /root/host_key $state/host_key
systemctl start proofgate.service
same "afterwards a receipt of before" "$(tell t "append /srv/t/covered")" OK
row "uncovered acts; new receipts; units that canon names do not start at boot" NO_RECEIPT "live receipts until they run out" "the key from its backup" "journal; proofgate doctor: keys"

fault "host key unreadable"
systemctl stop proofgate.service
cp -a $state/host_key /root/host_key
head -c 64 /dev/urandom >$state/host_key
start_fault host_key
cp -a /root/host_key $state/host_key
systemctl start proofgate.service
same "afterwards a receipt of before" "$(tell t "append /srv/t/covered")" OK
row "uncovered acts; new receipts; units that canon names do not start at boot" NO_RECEIPT "live receipts until they run out" "the key from its backup" "journal; proofgate doctor: keys"

fault "daemon binary broken"
systemctl stop proofgate.service
mv /usr/sbin/proofgated /root/proofgated
printf '\177ELF' >/usr/sbin/proofgated
chmod 755 /usr/sbin/proofgated
start_fault 'Exec format error\|EXEC'
mv /root/proofgated /usr/sbin/proofgated
systemctl start proofgate.service
same "afterwards a receipt of before" "$(tell t "append /srv/t/covered")" OK
row "uncovered acts; new receipts; units that canon names do not start at boot" NO_RECEIPT "live receipts until they run out" "the package again" "journal; exit 4"

fault "upgrade in progress (unpacked, not configured)"
before=$(main_pid)
ok "the package is unpacked" quietly dpkg --unpack /root/proofgate.deb
same "the daemon is the old one" "$(main_pid)" "$before"
same "an uncovered act" "$(tell s "append /srv/t/not")" EPERM
same "a covered act" "$(tell t "append /srv/t/covered")" OK
kill -9 "$before"
same "an uncovered act while none runs" "$(tell s "append /srv/t/not")" EPERM
ok "the new one comes" await another "$before"
ok "the package is configured" quietly dpkg --configure proofgate
ok "the ledger agrees" reconciles
row "uncovered acts" NO_RECEIPT "everything; the old daemon until the new one takes over" "-" "dpkg; START entry"

fault "memory short in the governed cgroup"
cgroup=$(dirname "$(grep -l . /sys/fs/cgroup/proofgate/s/run-*/cgroup.procs | head -1)")
before=$(main_pid)
serve_pid=$(head -1 "$cgroup/cgroup.procs")
echo "+memory" >/sys/fs/cgroup/cgroup.subtree_control
echo "+memory" >/sys/fs/cgroup/proofgate/cgroup.subtree_control
echo "+memory" >/sys/fs/cgroup/proofgate/s/cgroup.subtree_control
echo 30M >"$cgroup/memory.max"
echo "eat 200" >&"${in[s]}"
ok "the governed process is killed" await eval '[[ ! -d /proc/$serve_pid ]]'
same "the daemon is the one it was" "$(main_pid)" "$before"
ok "a bystander" bystander
ok "the ledger agrees" reconciles
row "-" "-" "everything but the process that was killed" "-" "kernel log: oom-kill"

fault "memory short on the host"
stress-ng -q --vm 2 --vm-bytes 95% --vm-keep -t 4 >/dev/null 2>&1 &
stress=$!
same "an uncovered act" "$(tell t "append /srv/t/not")" EPERM
same "a covered act" "$(tell t "append /srv/t/covered")" OK
wait $stress
same "the daemon is the one it was" "$(main_pid)" "$before"
ok "the ledger agrees" reconciles
row "uncovered acts" NO_RECEIPT "everything: the daemon is exempt from the OOM killer, tables are allocated beforehand" "-" "-"

fault "descriptors of the daemon exhausted"
before=$(main_pid)
prlimit --pid "$before" --nofile=1:524288
same "an uncovered act" "$(tell t "append /srv/t/not")" EPERM
same "a covered act" "$(tell t "append /srv/t/covered")" OK
other=$(issue --rule t.write --object /srv/t/new 2>/dev/null)
ok "no receipt is issued" test "$?$other" != 0
prlimit --pid "$(main_pid)" --nofile=524288:524288
ok "afterwards the daemon answers" await answers
ok "and it or its successor reconciles" reconciles
row "new receipts" "no answer" "live receipts until they run out" "when descriptors are free" "exit 4 of the command line"

fault "processes of the host exhausted"
limit=$(cat /proc/sys/kernel/threads-max)
before=$(main_pid)
lines=$(wc -l </tmp/from-t)
# From here to the limit's end with nothing but what the shell does itself.
echo 20 >/proc/sys/kernel/threads-max
for act in "append /srv/t/not" "append /srv/t/covered" fork; do echo "$act" >&"${in[t]}"; done
answered=()
until ((${#answered[@]} >= lines + 3)); do mapfile -t answered </tmp/from-t; done
echo "$limit" >/proc/sys/kernel/threads-max
same "an uncovered act, a covered one, a fork" "${answered[*]:$lines}" "EPERM OK EAGAIN"
same "the daemon is the one it was" "$(main_pid)" "$before"
ok "the ledger agrees" reconciles
row "uncovered acts" NO_RECEIPT "everything: deciding, recording and issuing start no process" "-" "-"

fault "descriptors of the governed process exhausted"
same "it gets what the kernel gives" "$(tell t "opens 100000")" EMFILE
same "a covered act afterwards" "$(tell t "append /srv/t/covered")" OK
row "-" "-" "everything" "-" "EMFILE in that process"

fault "bpffs unmounted"
ok "refused to root outside" not umount -l /run/proofgate/bpf 2>/dev/null
ok "and a rename of a pin" not mv /run/proofgate/bpf/maps/labels /run/proofgate/bpf/maps/x 2>/dev/null
same "an uncovered act" "$(tell t "append /srv/t/not")" EPERM
row "the unmount, for every task on the host" EPERM "everything" "-" "umount: Operation not permitted"

fault "two daemons"
proofgated >/tmp/second 2>&1
same "the second ends" $? 1
ok "it says why" grep -q 'another daemon runs' /tmp/second
same "the first is the one it was" "$(main_pid)" "$before"
row "the second daemon" "another daemon runs" "everything" "-" "its message"

fault "clock set forward and back"
date -s '+400 days' >/dev/null
same "a receipt lives by boot time: a covered act" "$(tell t "append /srv/t/covered")" OK
same "an uncovered act" "$(tell t "append /srv/t/not")" EPERM
date -s '-800 days' >/dev/null
same "and back: a covered act" "$(tell t "append /srv/t/covered")" OK
short=$(issue --rule t.write --object /srv/t/short --ttl 1s)
ok "one that ran out has run out" await eval '[[ $(tell t "append /srv/t/short") == EPERM ]]'
date -s '+400 days' >/dev/null
ok "the ledger agrees" reconciles
row "receipts that ran out by boot time" EXPIRED "receipts whose boot time has not come" "-" "proofgate status; times for people in entries"

fault "systemd executes itself again"
systemctl daemon-reexec
same "an uncovered act" "$(tell t "append /srv/t/not")" EPERM
systemctl restart proofgate.service
same "a covered act" "$(tell t "append /srv/t/covered")" OK
ok "the ledger agrees" reconciles
row "uncovered acts" NO_RECEIPT "everything: links are pinned, and PID 1 keeps the descriptors" "-" "-"

exec {in[s]}>&- # the first one ended for lack of memory
serve s
fault "ring buffer full (daemon stopped)"
before=$(main_pid)
kill -STOP "$before"
done_acts=$(tell s "flood /srv/s/flood 30000")
ok "the flood ended early ($done_acts)" test "$done_acts" -lt 30000
same "a covered act" "$(tell s "append /srv/s/file")" EPERM
same "an uncovered act" "$(tell s "append /srv/t/not")" EPERM
same "another domain's ring has room: a covered act" "$(tell t "append /srv/t/covered")" OK
ok "a bystander" bystander
kill -CONT "$before"
ok "afterwards the daemon answers" await answers
ok "and covered acts go on" await eval '[[ $(tell s "append /srv/s/file") == OK ]]'
ok "the code was counted" counted s RECORD_UNAVAILABLE
ok "each act that happened has its entry" reconciles
row "every listed act of that domain" RECORD_UNAVAILABLE "acts done before; other domains" "when the daemon reads the ring" "proofgate ledger reconcile; DENIALS"

for domain in s t; do exec {in[$domain]}>&-; done
