# Sourced by the guest tests: TAP lines, and what several tests need.
set -u

tap_number=0
ok() { # ok NAME COMMAND…
	local name=$1
	shift
	tap_number=$((tap_number + 1))
	if "$@"; then
		echo "ok $tap_number - $name"
	else
		echo "not ok $tap_number - $name"
	fi
}
same() { # same NAME GOT WANTED
	tap_number=$((tap_number + 1))
	if [[ $2 == "$3" ]]; then
		echo "ok $tap_number - $1"
	else
		echo "not ok $tap_number - $1"
		printf '%s\n' "$2" | head -n 20 | sed 's/^/# got:    /'
		printf '%s\n' "$3" | head -n 20 | sed 's/^/# wanted: /'
	fi
}
not() { ! "$@"; }
# In place of a redirection, which would take the TAP line along.
quietly() { "$@" >/dev/null; }

in_domain() { # in_domain DOMAIN COMMAND…
	local domain=$1
	shift
	proofgate run --domain "$domain" -- "$@"
}
governed() { in_domain t "$@"; }
issue() { proofgate receipt issue --domain t "$@"; }

# Waits until a command succeeds; gives up loudly after 30 s.
await() {
	local deadline=$((SECONDS + 30))
	until "$@"; do
		if ((SECONDS > deadline)); then
			echo "# gave up waiting for: $*"
			return 1
		fi
		sleep 0.1
	done
}
state_is() { proofgate receipt list --json | python3 -c '
import json, sys
rows = [r for r in json.load(sys.stdin)["receipts"] if r["id"] == sys.argv[1]]
sys.exit(0 if rows and rows[0]["state"] == sys.argv[2] else 1)' "$1" "$2"; }
used_of() { proofgate receipt list --json | python3 -c '
import json, sys
print([r["used"] for r in json.load(sys.stdin)["receipts"] if r["id"] == sys.argv[1]][0])' "$1"; }

# Each file begins with standing receipts only, whatever ran before it.
proofgate receipt list --json | python3 -c '
import json, sys
for row in json.load(sys.stdin)["receipts"]:
    if not row["standing"] and row["state"] == "live": print(row["id"])' |
	while read -r id; do proofgate receipt revoke "$id" --reason "the next test file" >/dev/null; done

finish() { echo "1..$tap_number"; }
trap finish EXIT
