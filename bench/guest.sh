#!/usr/bin/env bash
# In the guest: the operations under each condition that is named. Standard
# output is JSON lines: {"condition", "op", …}; anything that fails ends it.
#
#   guest.sh [--only OPS] [--batches N] CONDITION…
set -euo pipefail
cd "$(dirname "$0")"
options=()
while [[ ${1:-} == --* ]]; do
	options+=("$1" "$2")
	shift 2
done

set_up() {
	install -D -m 755 ops /usr/local/bin/bench-ops
	install -D -m 755 nothing /opt/bench/nothing
	install -D -m 755 nothing /usr/lib/bench/library
	mkdir -p /srv/bench/tmpfs /srv/bench/ext4
	mount -t tmpfs tmpfs /srv/bench/tmpfs
	local dir
	for dir in /srv/bench/tmpfs /srv/bench/ext4; do
		head -c 65536 /dev/zero >$dir/data
		touch $dir/file $dir/a
	done
	ip link set lo up
	# The same layout of memory in each process: page tables count, too.
	sysctl -qw net.core.somaxconn=4096 net.ipv4.tcp_max_syn_backlog=4096 kernel.watchdog=0 kernel.randomize_va_space=0
	bench-ops --serve &
	server=$!
	trap 'kill $server' EXIT
	local i
	for ((i = 0; i < 100; i++)); do
		[[ -e /run/bench-listening ]] && return
		sleep 0.1
	done
	return 1
}

# The daemon by its own unit, which the kernel command line masks under its name.
start_daemon() {
	[[ -e /run/systemd/system/bench-proofgate.service ]] && return
	cp /usr/lib/systemd/system/proofgate.service /run/systemd/system/bench-proofgate.service
	systemctl daemon-reload
	systemctl start bench-proofgate.service || {
		journalctl --no-pager -n 60 -u bench-proofgate.service >&2
		return 1
	}
	proofgate canon apply canon.yaml >/dev/null
	local rule
	for rule in files programs net; do
		proofgate receipt issue --domain counted --rule "$rule" >/dev/null
	done
}

run() { # run COMMAND…: the operations, under what COMMAND sets up
	"$@" "${options[@]}"
}

measure() { # measure CONDITION
	case $1 in
	none | default) run bench-ops ;;
	floor) run ./empty pep.bpf.o bench-ops ;;
	seccomp | landlock | fanotify) run bench-ops --under "$1" ;;
	apparmor)
		apparmor_parser --replace --skip-cache apparmor.profile
		run aa-exec -p bench -- /usr/local/bin/bench-ops
		apparmor_parser --remove apparmor.profile
		;;
	ungoverned)
		start_daemon
		run bench-ops
		;;
	standing | counted | observed)
		start_daemon
		run proofgate run --domain "$1" -- bench-ops
		;;
	*)
		echo "no condition '$1'" >&2
		return 2
		;;
	esac
}

set_up
echo "{\"kernel\":\"$(uname -r)\",\"lsm\":\"$(cat /sys/kernel/security/lsm 2>/dev/null || echo none)\"}"
for condition in "$@"; do
	echo "# $condition at $SECONDS s" >&2
	measure "$condition" >/tmp/lines
	sed "s/^{/{\"condition\":\"$condition\",/" /tmp/lines
done
