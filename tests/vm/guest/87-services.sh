# Real services under the canons of docs/examples: real work without a refusal,
# then one act outside the canon, which is refused.
. /root/guest/lib.sh

examples=/usr/share/proofgate/examples
for name in nginx postgresql openssh cron-job python-agent container; do cat $examples/$name.yaml; echo ---; done | sed '$d' >/tmp/services.yaml
# What the canons say of the units: the lines with "#| ".
quiet=(StandardOutput=null StandardError=null KeyringMode=inherit)
drop_in() { # drop_in UNIT EXAMPLE
	mkdir -p "/etc/systemd/system/$1.service.d"
	sed -n 's/^#| //p' "$examples/$2.yaml" >"/etc/systemd/system/$1.service.d/proofgate.conf"
}
drop_in nginx nginx
drop_in postgresql@15-main postgresql
mkdir -p /run/sshd /srv/agents /root/.ssh
[[ -f /etc/ssh/ssh_host_ed25519_key ]] || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
printf 'Port 2222\nUsePAM no\nPermitRootLogin yes\nPidFile none\nHostKey /etc/ssh/ssh_host_ed25519_key\n' >/etc/ssh/agents_config
printf '%s\n' '[Service]' 'ExecStart=/usr/sbin/sshd -D -f /etc/ssh/agents_config' "${quiet[@]}" >/etc/systemd/system/agents-sshd.service
systemctl daemon-reload
ok "the examples are one canon" quietly proofgate canon apply /tmp/services.yaml
denials() { proofgate status --json | python3 -c 'import json, sys; print([d["denials"] for d in json.load(sys.stdin)["domains"] if d["domain"] == sys.argv[1]][0])' "$1"; }
none() { # none DOMAIN [N]: no act of it was refused, or the N that its canon tells of
	local got
	got=$(denials "$1")
	[[ $got == "${2:-0}" ]] || proofgate ledger tail -n 400 | grep "DENY.*$1:" | sort -k5 -u | tail -n 12 | sed 's/^/# /'
	same "$1: no act was refused" "$got" "${2:-0}"
}
refuses() { (($(denials "$1") > $2)); }

systemctl unmask -q nginx.service
echo '<h1>served</h1>' >/var/www/html/index.html
ok "nginx starts" systemctl start nginx.service
requests=300 && [[ ${PROOFGATE_LONG:-} ]] && requests=1000
same "nginx serves $requests requests" "$(for ((i = 0; i < requests; i++)); do echo http://127.0.0.1/; done | xargs curl -s | grep -c served)" $requests
ok "nginx: its workers are governed" grep -q nginx.service "/proc/$(pgrep -u www-data nginx | head -1)/cgroup"
none nginx
echo 'error_log /srv/elsewhere.log;' >/etc/nginx/modules-enabled/99-elsewhere.conf
ok "nginx: a log where canon has none" not systemctl restart nginx.service 2>/dev/null
ok "nginx: is not there" test ! -e /srv/elsewhere.log
ok "nginx: and was refused" refuses nginx 0
rm /etc/nginx/modules-enabled/99-elsewhere.conf

systemctl unmask -q postgresql.service
ok "postgresql starts" systemctl start postgresql@15-main.service
as_postgres() { (cd / && runuser -u postgres -- "$@"); }
pg_up() { as_postgres psql -qtc 'select 1' >/dev/null 2>&1; }
ok "postgresql answers" await pg_up
as_postgres pgbench -q -i -s 1 postgres >/dev/null 2>&1
seconds=5 && [[ ${PROOFGATE_LONG:-} ]] && seconds=60
ok "postgresql: pgbench" grep -q 'number of failed transactions: 0' <(as_postgres pgbench -T $seconds -c 4 postgres 2>&1)
none postgresql
as_postgres psql -qc "copy (select 1) to '/tmp/copied'" >/dev/null 2>&1
ok "postgresql: a copy to elsewhere is not there" test ! -e /tmp/copied
as_postgres psql -qc "copy (select 1) to program 'touch /tmp/by-program'" >/dev/null 2>&1
ok "postgresql: nor what a program would make" test ! -e /tmp/by-program
ok "postgresql: and both were refused" refuses postgresql 1

ok "sshd starts" systemctl start agents-sshd.service
login() { ssh -q -o StrictHostKeyChecking=no -o ConnectTimeout=20 -p 2222 root@127.0.0.1 "$@"; }
listens() { ss -ltn | grep -q ':2222 '; }
ok "sshd listens" await listens
same "sshd: a login that works" "$(login 'echo data >/srv/agents/by-login && cat /srv/agents/by-login')" data
none agents-sshd 1 # its own oom_score_adj
login 'echo x >/srv/by-login; echo x >>/root/.bashrc' 2>/dev/null
ok "sshd: a write elsewhere is not there" test ! -e /srv/by-login
ok "sshd: and was refused" refuses agents-sshd 1

mkdir -p /srv/report
printf '#!/bin/bash\necho report >/srv/report/today\necho x >/srv/report-elsewhere\n' >/usr/local/bin/report
chmod 755 /usr/local/bin/report
echo '@reboot root proofgate run --domain report -- /usr/local/bin/report' >/etc/cron.d/report
chmod 644 /etc/cron.d/report
systemctl unmask -q cron.service
rm -f /run/crond.reboot
ok "cron starts" systemctl start cron.service
ok "cron: the job did its work" await test -s /srv/report/today
ok "cron: and was refused the rest" await refuses report 0
same "cron: once, that" "$(denials report; ls /srv | grep report)" "$(printf '1\nreport')"

mkdir -p /srv/agent/work /srv/agent/outbox /srv/agent/api
echo answer >/srv/agent/api/question
(cd /srv/agent/api && exec python3 -m http.server 8099 --bind 127.0.0.1) >/dev/null 2>&1 &
api=$!
cat >/usr/local/bin/agent.py <<'PY'
import subprocess, urllib.request
text = urllib.request.urlopen("http://127.0.0.1:8099/question").read()
open("/srv/agent/work/notes", "wb").write(text)
subprocess.run(["sort", "-o", "/srv/agent/work/sorted", "/srv/agent/work/notes"], check=True)
PY
echo 'open("/srv/agent/outbox/published", "w").write("x")' >/usr/local/bin/publish.py
serves() { curl -s http://127.0.0.1:8099/question >/dev/null; }
await serves
in_slice() { systemd-run -q --wait --slice=agents.slice "${quiet[@]/#/-p}" "$@" 2>/dev/null; }
ok "agent: does its work" in_slice /usr/bin/python3 -B /usr/local/bin/agent.py
same "agent: by a service and a program" "$(cat /srv/agent/work/sorted)" answer
none python-agent
ok "agent: does not publish" not in_slice /usr/bin/python3 -B /usr/local/bin/publish.py
proofgate receipt issue --domain python-agent --rule agent.publish --uses 1 >/dev/null
ok "agent: publishes under a receipt" in_slice /usr/bin/python3 -B /usr/local/bin/publish.py
ok "agent: once" not in_slice /usr/bin/python3 -B /usr/local/bin/publish.py
kill $api

mkdir -p /srv/box
box() {
	bwrap --ro-bind / / --bind /srv /srv --bind /sys/fs/cgroup /sys/fs/cgroup --dev /dev --proc /proc --unshare-pid \
		sh -c 'echo $$ >/sys/fs/cgroup/box/cgroup.procs; exec "$@"' sh "$@"
}
same "container: works" "$(box bash -c 'echo boxed >/srv/box/file; sort /srv/box/file')" boxed
none box
box bash -c 'echo boxed >/srv/out-of-box' 2>/dev/null
ok "container: not outside of its directory" test ! -e /srv/out-of-box
ok "container: and was refused" refuses box 0

# What a fuzzer of system calls does in there is refused or harmless.
seconds=15 && [[ ${PROOFGATE_LONG:-} ]] && seconds=600
before=$(systemctl show -p MainPID --value proofgate.service)
dmesg --clear
box stress-ng -q --sysbadaddr 1 --enosys 1 --dev 1 --procfs 1 --sysfs 1 --fcntl 1 --sock 1 --timeout $seconds >/dev/null 2>&1
same "stress-ng: no warning of the kernel" "$(dmesg | grep -E 'WARNING|BUG:|Oops|Call Trace' | head -3)" ""
same "stress-ng: the daemon is the one it was" "$(systemctl show -p MainPID --value proofgate.service)" "$before"
ok "stress-ng: the ledger agrees" quietly proofgate ledger reconcile
for unit in nginx postgresql@15-main agents-sshd cron; do systemctl stop $unit.service 2>/dev/null; done
ok "the canon of before" quietly proofgate canon apply /root/guest/canon.yaml
