# Real services under the canons of docs/examples: real work without a refusal,
# then one act outside the canon, which is refused. PROOFGATE_SERVICES: only
# these; PROOFGATE_LONG: a minute of work for each, not six seconds.
. /root/guest/lib.sh

examples=/usr/share/proofgate/examples
for name in nginx postgresql openssh cron-job python-agent container; do cat $examples/$name.yaml; echo ---; done | sed '$d' >/tmp/services.yaml
seconds=6 && [[ ${PROOFGATE_LONG:-} ]] && seconds=60
# What the canons say of the units: the lines with "#| ".
drop_in() { # drop_in UNIT EXAMPLE
	mkdir -p "/etc/systemd/system/$1.d"
	sed -n 's/^#| //p' "$examples/$2.yaml" >"/etc/systemd/system/$1.d/proofgate.conf"
}
denials() { proofgate status --json | python3 -c 'import json, sys; print([d["denials"] for d in json.load(sys.stdin)["domains"] if d["domain"] == sys.argv[1]][0])' "$1"; }
none() { # none DOMAIN [N]: no act of it was refused, or the N that its canon tells of
	local got
	got=$(denials "$1")
	[[ $got == "${2:-0}" ]] || proofgate ledger query --kind DENY --domain "$1" | sort -k5 -u | tail -n 30 | sed 's/^/# /'
	same "$1: no act was refused" "$got" "${2:-0}"
}
comes_up() { # comes_up UNIT DOMAIN: or what it and the gate say
	systemctl restart "$1" && return
	journalctl -q -b -u "$1" -o short-monotonic --no-pager | tail -n 12 | sed 's/^/# journal: /'
	proofgate ledger query --kind DENY --domain "$2" | tail -n 12 | sed 's/^/# /'
	return 1
}
refuses() { (($(denials "$1") > $2)); }
works() { # works COMMAND…: again and again, as long as real work is to last; prints how often
	local end=$((SECONDS + seconds)) times=0
	while ((SECONDS < end)); do
		"$@" || { echo "failed after $times"; return; }
		times=$((times + 1))
	done
	echo "$times"
}
worked() { # worked NAME TIMES
	echo "# $1: $2 times"
	ok "$1" test "$2" -gt 0
}

nginx() {
	echo '<h1>served</h1>' >/var/www/html/index.html
	ok "nginx starts" comes_up nginx.service nginx
	ok "nginx: its workers are governed" grep -q nginx.service "/proc/$(pgrep -u www-data nginx | head -1)/cgroup"
	# 50 connections, and a body that is kept in a temporary file.
	serves() {
		(($(for ((i = 0; i < 50; i++)); do echo http://127.0.0.1/; done | xargs -n 10 curl -s -H 'Connection: close' | grep -c served) == 50)) &&
			[[ $(head -c 100000 /dev/zero | curl -s -o /dev/null -w '%{http_code}' --data-binary @- http://127.0.0.1/) == 405 ]]
	}
	worked "nginx serves" "$(works serves)"
	ok "nginx: reloads" systemctl reload nginx.service
	ok "nginx: and serves" serves
	ok "nginx: restarts" comes_up nginx.service nginx
	ok "nginx: and serves" serves
	none nginx
	echo 'error_log /srv/elsewhere.log;' >/etc/nginx/modules-enabled/99-elsewhere.conf
	ok "nginx: a log where canon has none" not systemctl restart nginx.service 2>/dev/null
	ok "nginx: is not there" test ! -e /srv/elsewhere.log
	ok "nginx: and was refused" refuses nginx 0
	rm /etc/nginx/modules-enabled/99-elsewhere.conf
	ok "nginx: without it it starts" comes_up nginx.service nginx
	systemctl stop nginx.service
}

postgresql() {
	ok "postgresql starts" comes_up postgresql@15-main.service postgresql
	as_postgres() { (cd / && runuser -u postgres -- "$@"); }
	ok "postgresql answers" as_postgres psql -qtc 'select 1' -o /dev/null
	ok "postgresql: it is governed" grep -q postgresql@15 "/proc/$(pgrep -u postgres -o postgres)/cgroup"
	as_postgres psql -qc "create role bench superuser login password 'bench'"
	export PGPASSWORD=bench
	ok "postgresql: pgbench makes its tables" as_postgres pgbench -q -i -s 1 postgres 2>/dev/null
	as_postgres pgbench -h 127.0.0.1 -U bench -T $seconds -c 4 postgres >/tmp/pgbench 2>&1
	ok "postgresql: pgbench" grep -q 'number of failed transactions: 0' /tmp/pgbench
	sed -n 's/^number of transactions/# &/p' /tmp/pgbench
	ok "postgresql: vacuum, and a plan that is compiled and parallel" as_postgres psql -q -o /dev/null -c 'vacuum full analyze' -c 'set max_parallel_workers_per_gather = 2' \
		-c 'set min_parallel_table_scan_size = 0' -c 'set parallel_setup_cost = 0' -c 'set jit_above_cost = 0' -c 'select count(*) from pgbench_accounts' postgres
	none postgresql
	as_postgres psql -qc "copy (select 1) to '/tmp/copied'" >/dev/null 2>&1
	ok "postgresql: a copy to elsewhere is not there" test ! -e /tmp/copied
	as_postgres psql -qc "copy (select 1) to program 'touch /tmp/by-program'" >/dev/null 2>&1
	ok "postgresql: nor what a program would make" test ! -e /tmp/by-program
	ok "postgresql: and both were refused" refuses postgresql 1
	as_postgres psql -qc "copy (select 1) to '/var/lib/postgresql/copied'"
	same "postgresql: a copy to its own directory is there" "$(cat /var/lib/postgresql/copied)" 1
	ok "postgresql stops" systemctl stop postgresql@15-main.service
}

sshd() {
	mkdir -p /run/sshd /root/.ssh
	[[ -f /etc/ssh/ssh_host_ed25519_key ]] || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
	[[ -f /root/.ssh/id_ed25519 ]] || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
	cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
	printf '%s\n' 'Port 2222' 'UsePAM no' 'PermitRootLogin yes' 'PidFile none' 'HostKey /etc/ssh/ssh_host_ed25519_key' 'Subsystem sftp /usr/lib/openssh/sftp-server' >/etc/ssh/agents_config
	ok "sshd starts" comes_up agents-sshd.service agents-sshd
	options=(-q -o StrictHostKeyChecking=no -o ConnectTimeout=20)
	login() { ssh "${options[@]}" -p 2222 root@127.0.0.1 "$@"; }
	listens() { ss -ltn | grep -q ':2222 '; }
	ok "sshd listens" await listens
	rm -f /srv/agents/*
	session() {
		[[ $(login 'echo data >/srv/agents/by-login && cat /srv/agents/by-login && tr </proc/self/cgroup -d "\n"') == *agents-sshd.service ]] &&
			scp "${options[@]}" -P 2222 /etc/hostname root@127.0.0.1:/srv/agents/copied &&
			login -tt 'tty >/srv/agents/terminal' >/dev/null
	}
	worked "sshd: logins, with and without a terminal, and copies" "$(works session)"
	same "sshd: their effects" "$(head -qn 1 /srv/agents/* | sed 's:pts/.*:pts:')" "$(printf '%s\n' data "$(hostname)" /dev/pts)"
	none agents-sshd 2 # its OOM score, by two names
	same "sshd: of these its canon tells" "$(proofgate ledger query --kind DENY --domain agents-sshd | grep -c '/proc/.*/oom_')" 2
	login 'echo x >/srv/by-login; echo x >>/root/.bashrc' 2>/dev/null
	ok "sshd: a write elsewhere is not there" test ! -e /srv/by-login
	ok "sshd: and was refused" refuses agents-sshd 2
	systemctl stop agents-sshd.service
}

cron() {
	rm -f /srv/report/*
	printf '%s\n' '#!/bin/bash' 'set -e' 'for file in /usr/lib/systemd/system/*.service; do echo "$(grep -c = "$file") ${file##*/}"; done | sort -n >/srv/report/new' \
		'mv /srv/report/new "/srv/report/$(date +%s.%N)"' >/usr/local/bin/report
	chmod 755 /usr/local/bin/report
	printf '%s\n' '@reboot root proofgate run --domain report -- /usr/local/bin/report' '* * * * * root proofgate run --domain report -- /usr/local/bin/report' >/etc/cron.d/report
	chmod 644 /etc/cron.d/report
	rm -f /run/crond.reboot
	ok "cron starts" systemctl start cron.service
	reports() { (($(find /srv/report -name '*.*' -size +0 | wc -l) >= $1)); }
	ok "cron: the job did its work" await reports 1
	if [[ ${PROOFGATE_LONG:-} ]]; then
		again() { await reports 2 || await reports 2 || await reports 2; }
		ok "cron: and in the next minute again" again
	fi
	none report
	printf '%s\n' '#!/bin/bash' 'echo x >/srv/report-elsewhere' 'echo x >/srv/report/beside.it' >/usr/local/bin/report
	rm -f /srv/report/* /run/crond.reboot
	systemctl restart cron.service
	ok "cron: the job did its work" await reports 1
	ok "cron: and was refused the rest" await refuses report 0
	ok "cron: it is not there" test ! -e /srv/report-elsewhere
	systemctl stop cron.service
}

agent() {
	mkdir -p /srv/agent/api
	rm -f /srv/agent/work/* /srv/agent/outbox/*
	echo answer >/srv/agent/api/question
	(cd /srv/agent/api && exec python3 -m http.server 8099 --bind 127.0.0.1) >/dev/null 2>&1 &
	api=$!
	cat >/usr/local/bin/agent.py <<'PY'
import json, sqlite3, subprocess, sys, time, urllib.request

end, times = time.monotonic() + float(sys.argv[1]), 0
while time.monotonic() < end:
    text = urllib.request.urlopen("http://127.0.0.1:8099/question").read()
    open("/srv/agent/work/notes", "wb").write(text)
    subprocess.run(["sort", "-o", "/srv/agent/work/sorted", "/srv/agent/work/notes"], check=True)
    with sqlite3.connect("/srv/agent/work/memory") as memory:
        memory.execute("create table if not exists seen (text)")
        memory.execute("insert into seen values (?)", (text,))
    memory.close()
    subprocess.run(["git", "init", "-q", "/srv/agent/work/repository"], check=True)
    times += 1
json.dump(times, open("/srv/agent/work/times", "w"))
PY
	echo 'open("/srv/agent/outbox/published", "a").write("x")' >/usr/local/bin/publish.py
	serves() { curl -s http://127.0.0.1:8099/question >/dev/null; }
	await serves
	# As agents.slice's canon says of its units.
	mapfile -t settings < <(sed -n 's/^#| \([^[]\)/-p\1/p' $examples/python-agent.yaml)
	in_slice() { systemd-run -q --wait --slice=agents.slice "${settings[@]}" "$@" 2>/dev/null; }
	ok "agent: does its work" in_slice /usr/bin/python3 -B /usr/local/bin/agent.py $seconds
	same "agent: by a service and programs" "$(cat /srv/agent/work/sorted)" answer
	worked "agent: again and again" "$(cat /srv/agent/work/times)"
	none python-agent
	ok "agent: does not publish" not in_slice /usr/bin/python3 -B /usr/local/bin/publish.py
	ok "agent: nothing is there" test ! -e /srv/agent/outbox/published
	ok "agent: and was refused" refuses python-agent 0
	proofgate receipt issue --domain python-agent --rule agent.publish --object /srv/agent/outbox/published --uses 1 >/dev/null
	ok "agent: publishes under a receipt" in_slice /usr/bin/python3 -B /usr/local/bin/publish.py
	ok "agent: once" not in_slice /usr/bin/python3 -B /usr/local/bin/publish.py
	same "agent: once it is" "$(cat /srv/agent/outbox/published)" x
	kill $api
}

box() {
	bwrap --ro-bind / / --bind /srv/box /srv/box --bind /sys/fs/cgroup /sys/fs/cgroup --dev /dev --proc /proc --unshare-pid "${more[@]}" \
		sh -c 'echo $$ >/sys/fs/cgroup/box/cgroup.procs; exec "$@"' sh "$@"
}
container() {
	more=()
	rm -f /srv/box/*
	in_box() { [[ $(box bash -c 'seq 2000 | sort -R >/srv/box/file && sort -n /srv/box/file | tail -n 1 && rm /srv/box/file') == 2000 ]]; }
	worked "container: works" "$(works in_box)"
	ok "container: is governed" grep -q '^0::/box$' <(box cat /proc/self/cgroup)
	none box
	# Where the container itself would let it.
	more=(--bind /srv /srv)
	same "container: outside of its directory" "$(box bash -c 'echo x >/srv/out-of-box' 2>&1 | grep -c 'not permitted')" 1
	ok "container: nothing is there" test ! -e /srv/out-of-box
	ok "container: and was refused" refuses box 0
	box bash -c 'echo boxed >/srv/box/file'
	same "container: in its directory it is" "$(cat /srv/box/file)" boxed
}

# What a fuzzer of system calls does in there is refused or harmless.
stress() {
	more=()
	local before
	before=$(systemctl show -p MainPID --value proofgate.service)
	dmesg --clear
	box stress-ng -q --sysbadaddr 1 --enosys 1 --dev 1 --procfs 1 --sysfs 1 --fcntl 1 --sock 1 --timeout $((seconds * 2)) >/dev/null 2>&1
	same "stress-ng: no warning of the kernel" "$(dmesg | grep -E 'WARNING|BUG:|Oops|Call Trace' | head -3)" ""
	same "stress-ng: the daemon is the one it was" "$(systemctl show -p MainPID --value proofgate.service)" "$before"
	ok "stress-ng: the ledger agrees" quietly proofgate ledger reconcile
}

# A canon is on what is there: units, directories.
printf '%s\n' '[Service]' 'ExecStart=/usr/sbin/sshd -D -f /etc/ssh/agents_config' >/etc/systemd/system/agents-sshd.service
drop_in agents-sshd.service openssh
drop_in nginx.service nginx
drop_in postgresql@15-main.service postgresql
systemctl unmask -q nginx.service postgresql.service cron.service
systemctl daemon-reload
mkdir -p /srv/agents /srv/report /srv/agent/work /srv/agent/outbox /srv/box
ok "the examples are one canon" quietly proofgate canon apply /tmp/services.yaml
for service in ${PROOFGATE_SERVICES:-nginx postgresql sshd cron agent container stress}; do
	case $service in
	nginx | postgresql | sshd | cron | agent | container | stress) $service ;;
	*) ok "$service is one of the services" false ;;
	esac
done
ok "the canon of before" quietly proofgate canon apply /root/guest/canon.yaml
