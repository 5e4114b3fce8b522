# Beside others: what AppArmor or another BPF program refuses stays refused, what
# the gate refuses too, and what both permit is done.
. /root/guest/lib.sh

mkdir -p /srv/s /srv/beside
chmod 777 /srv/s /srv/beside
in_s() { in_domain s "$@"; }
tampered() { proofgate status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["tampered"])'; }
before=$(tampered)

# A program that AppArmor confines: it may write anywhere but one file.
ln -f /usr/local/bin/act /usr/local/bin/confined # a program that the domain may run already
rm -rf /srv/s/* /srv/beside/*
cat >/etc/apparmor.d/beside <<'PROFILE'
/usr/local/bin/confined {
	capability,
	network,
	signal,
	unix,
	/** rwmlkix,
	deny /srv/s/theirs w,
}
PROFILE
ok "AppArmor takes the profile" apparmor_parser --replace --skip-cache /etc/apparmor.d/beside
acts=("create /srv/s/both" "create /srv/s/theirs" "create /srv/beside/ours")
same "confined only" "$(confined "${acts[@]}")" "create OK
create EACCES
create OK"
rm -rf /srv/s/* /srv/beside/*
same "governed only" "$(in_s act "${acts[@]}")" "create OK
create OK
create EPERM"
rm -rf /srv/s/* /srv/beside/*
same "both: each refuses its own" "$(in_s confined "${acts[@]}")" "create OK
create EACCES
create EPERM"
same "both: what neither refused is there" "$(ls /srv/s /srv/beside)" "/srv/beside:

/srv/s:
both"
denied() { proofgate ledger query --kind DENY --domain s | grep -q "$1"; }
ok "the gate's refusal is in the ledger" await denied "/srv/beside/ours by "
ok "AppArmor's is not: the gate was not asked" not denied "/srv/s/theirs by "
ok "AppArmor lets the profile go" apparmor_parser --remove /etc/apparmor.d/beside

# Another user of BPF LSM: it refuses mkdir(2) to one user.
cat >/tmp/mkdirs.py <<'PY'
import errno, os, sys

user = int(sys.argv[1])
os.setgid(user)
os.setuid(user)
for path in sys.argv[2:]:
    try:
        os.mkdir(path)
        print(path, "OK", flush=True)
    except OSError as error:
        print(path, errno.errorcode[error.errno], flush=True)
PY
mkfifo /tmp/beside
beside 4242 </tmp/beside >/tmp/beside.out 2>&1 &
job=$!
exec 7>/tmp/beside
ok "another program is attached to the same hook" await grep -q attached /tmp/beside.out
rm -rf /srv/s/* /srv/beside/*
same "it refuses to its user" "$(/usr/bin/python3 /tmp/mkdirs.py 4242 /srv/beside/a)" "/srv/beside/a EACCES"
same "and to no other" "$(/usr/bin/python3 /tmp/mkdirs.py 4243 /srv/beside/b)" "/srv/beside/b OK"
same "governed, its user: both refuse" "$(in_s python3 /tmp/mkdirs.py 4242 /srv/s/c /srv/beside/d | sed 's/EPERM\|EACCES/refused/')" "/srv/s/c refused
/srv/beside/d refused"
same "governed, another user: the gate refuses its own" "$(in_s python3 /tmp/mkdirs.py 4243 /srv/s/e /srv/beside/f)" "/srv/s/e OK
/srv/beside/f EPERM"
same "what neither refused is there" "$(ls /srv/s /srv/beside)" "/srv/beside:
b

/srv/s:
e"
exec 7>&-
wait $job
same "it went: the gate goes on" "$(in_s python3 /tmp/mkdirs.py 4242 /srv/s/g /srv/beside/h)" "/srv/s/g OK
/srv/beside/h EPERM"
same "nothing of this is tampering with the gate" "$(tampered)" "$before"
rm -rf /srv/s/* /srv/beside /etc/apparmor.d/beside /usr/local/bin/confined
