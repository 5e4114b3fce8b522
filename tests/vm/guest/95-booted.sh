# A real boot of that disk: the named are governed before their first process.
. /root/guest/lib.sh

# Governed from boot on, before their first process.
started() { systemctl show -p "$1" --value "$2"; }
runs() { # runs UNIT: or what it and the gate say
	await systemctl is-active -q "$1" && return
	journalctl -q -b -u "$1" -o cat --no-pager | tail -n 8 | sed 's/^/# journal: /'
	proofgate ledger query --kind DENY | tail -n 8 | sed 's/^/# /'
	return 1
}
ok "a named unit runs" runs named.service
ok "so does one in a named slice" runs sliced.service
ok "and one that no canon names" systemctl is-active -q other.service
ok "its first process did what it liked" test -e /srv/boot/other
same "theirs did not" "$(ls /srv/boot)" other
ok "they waited for the daemon" test "$(started ActiveEnterTimestampMonotonic proofgate.service)" -le "$(started ExecMainStartTimestampMonotonic named.service)"
denied() { proofgate ledger query --kind DENY | grep -q "/srv/boot/$1"; }
ok "the refusal is in the ledger" await denied named
ok "and the other" await denied sliced
systemctl restart named.service sliced.service
same "and after a restart, in cgroups made anew" "$(ls /srv/boot)" other
systemctl stop named-tests.slice
systemctl start sliced.service
ok "it runs after the slice itself was gone" runs sliced.service
same "and was governed" "$(ls /srv/boot)" other
attached() { proofgate status | grep -q "$1"; }
ok "the new cgroup is attached in the ledger as well" await attached /system.slice/named.service
systemctl stop proofgate.service
systemctl restart named.service sliced.service
ok "they run with no daemon" runs named.service
ok "both" runs sliced.service
same "and are governed" "$(ls /srv/boot)" other
systemctl start proofgate.service
status=$(proofgate status --json)
same "no label was lost" "$(python3 -c 'import json,sys; print(json.loads(sys.argv[1])["labels_lost"])' "$status")" 0
# For the next boot: nothing starts by itself.
systemctl disable -q --now named.service sliced.service other.service 2>/dev/null
systemctl disable -q proofgate.service 2>/dev/null
rm -f /srv/boot/*
sync
