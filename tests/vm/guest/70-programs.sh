# Real programs: a plain EPERM without receipts, their work done with them, and
# no refusal that canon does not explain.
. /root/guest/lib.sh

mkdir -p /srv/t/work
cd /srv/t/work || exit 1
export HOME=/srv/t/work GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
denials() { proofgate status --json | python3 -c 'import json,sys; print([d["denials"] for d in json.load(sys.stdin)["domains"] if d["domain"]=="t"][0])'; }

ok "git init is refused" not governed git init -q repo 2>/tmp/git.err
ok "with a plain EPERM" grep -qi 'operation not permitted' /tmp/git.err
ok "and no repository" test ! -e repo
ok "sqlite3 is refused" not governed sqlite3 data.db 'create table t(x)' 2>/dev/null
ok "and no database" test ! -s data.db
cat >nginx.conf <<'NGINX'
daemon off;
pid nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
  server { listen 127.0.0.1:7080; root /srv/t/work/www; }
}
NGINX
mkdir www
echo 'from nginx' >www/index.html
chmod 755 /srv/t /srv/t/work www
ok "nginx is refused" not governed nginx -p /srv/t/work -e stderr -c nginx.conf 2>/dev/null

issue --rule t.write --object /srv/t/work >/dev/null
issue --rule t.net >/dev/null
issue --rule t.bind --object tcp:127.0.0.1:7080 >/dev/null
before=$(denials)
ok "bash" test "$(governed bash -c 'x=$(echo hi | tr h H); echo "$x"; for i in 1 2 3; do :; done')" = Hi
ok "python3" test "$(governed python3 -B -c 'import json, ssl, sqlite3, subprocess, ctypes; print(subprocess.check_output(["echo", "ok"]).decode().strip())')" = ok
ok "git init" governed git init -q repo
echo text >repo/file
ok "git add" governed git -C repo add file
ok "git commit" governed git -C repo commit -q -m first
ok "git log" test "$(governed git -C repo log --oneline | wc -l)" = 1
ok "git gc" governed git -C repo gc -q
ok "git clone" governed git clone -q repo copy
ok "sqlite3" test "$(governed sqlite3 data.db 'create table t(x); insert into t values(42); select x from t')" = 42
ok "node" test "$(governed node -e 'console.log(6*7)')" = 42
ok "apt-get" grep -q '^apt ' <(governed apt-get --version)
governed nginx -p /srv/t/work -e stderr -c nginx.conf 2>/tmp/nginx.err &
serves() { [[ $(curl -s http://127.0.0.1:7080/) == "from nginx" ]]; }
ok "nginx serves, governed" await serves
ok "curl, governed, from nginx, governed" test "$(governed curl -s http://127.0.0.1:7080/)" = "from nginx"
same "no act was refused on the way" "$(denials)" "$before"
[[ $(denials) == "$before" ]] || proofgate ledger query --kind DENY | sed 's/^/# /'
kill "$(cat /srv/t/work/nginx.pid)"
