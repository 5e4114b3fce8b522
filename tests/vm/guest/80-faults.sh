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

for table in grants addresses; do
	rule=t.write && [[ $table == addresses ]] && rule=t.net
	fault "table full: $table"
	tamper fill $table >/dev/null
	issue --rule $rule >/dev/null 2>/tmp/issue
	same "a new receipt" $? 1
	ok "why" grep -q 'table is full' /tmp/issue
	same "a receipt of before" "$(tell t "append /srv/t/covered")" OK
	same "an uncovered act" "$(tell t "append /srv/t/not")" EPERM
	tamper drain $table
	other=$(issue --rule $rule)
	same "afterwards a receipt" $? 0
	proofgate receipt revoke "$other" >/dev/null
	row "new receipts (exit 1)" "$table: the table is full" "receipts of before" "when receipts end" "REVOKE entry: not installed"
done

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

disk_fault() { # disk_fault NUMBER WORDS
	before=$(main_pid)
	echo "$1" >/run/eio
	issue --rule t.write --object /srv/t/new >/dev/null 2>&1
	ok "no receipt is issued" test $? -ne 0
	same "an uncovered act" "$(tell s "append /srv/t/not")" EPERM
	same "an act under a receipt of before" "$(tell t "append /srv/t/covered")" OK
	same "nothing that was not issued is good" "$(tell t "append /srv/t/new")" EPERM
	ok "a bystander" bystander
	ok "the journal says why" await journal_says "$2"
	rm /run/eio
	ok "afterwards the daemon answers" await answers
	ok "the ledger is whole" proofgate ledger verify
	ok "each act has its entry" reconciles
	row "new receipts, canon, attach" "the daemon ends: $2" "live receipts until they run out; records in the ring until it is full" "when the disk takes writes again" "journal; exit 4; systemctl status"
}
journal_says() { journalctl -q -u proofgate.service -n 400 -o cat | grep -q "$1"; }
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

start_fault() { # start_fault SEEN RECOVERS: the daemon was stopped and something broken
	systemctl start proofgate.service 2>/dev/null
	ok "the daemon does not start" not answers
	same "an uncovered act" "$(tell s "append /srv/t/not")" EPERM
	ok "a bystander" bystander
	ok "it says why" await journal_says "$1"
	systemctl stop proofgate.service
}
fault "ledger corrupt (RocksDB)"
systemctl stop proofgate.service
cp -a /var/lib/proofgate/ledger /root/ledger
for file in /var/lib/proofgate/ledger/store/MANIFEST-*; do dd if=/dev/urandom of="$file" bs=512 count=1 conv=notrunc 2>/dev/null; done
start_fault Corruption
rm -rf /var/lib/proofgate/ledger
mv /root/ledger /var/lib/proofgate/ledger
systemctl start proofgate.service
same "afterwards a receipt of before" "$(tell t "append /srv/t/covered")" OK
row "uncovered acts; new receipts; units that canon names do not start at boot" NO_RECEIPT "live receipts until they run out" "the ledger from a backup that is no older than the anchor" "journal; exit 4"

fault "host key missing"
systemctl stop proofgate.service
mv /var/lib/proofgate/host_key /root/host_key
start_fault host_key
mv /root/host_key /var/lib/proofgate/host_key
systemctl start proofgate.service
same "afterwards a receipt of before" "$(tell t "append /srv/t/covered")" OK
row "uncovered acts; new receipts; units that canon names do not start at boot" NO_RECEIPT "live receipts until they run out" "the key from its backup" "journal; proofgate doctor: keys"

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

fault "processes and descriptors of the daemon exhausted"
prlimit --pid "$before" --nofile=1:524288
same "an uncovered act" "$(tell t "append /srv/t/not")" EPERM
same "a covered act" "$(tell t "append /srv/t/covered")" OK
prlimit --pid "$before" --nofile=524288:524288
ok "afterwards the daemon answers" await answers
ok "and it or its successor reconciles" reconciles
row "new receipts" "no answer" "live receipts until they run out" "when descriptors are free" "exit 4 of the command line"

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

for domain in s t; do exec {in[$domain]}>&-; done
