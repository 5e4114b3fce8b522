# Makes a disk whose canon names two units, for the boots that follow.
. /root/guest/lib.sh
trap - EXIT
# What the next boot starts: two that canon names, and one that it does not.
mkdir -p /srv/boot
unit() { # unit NAME LINE…
	local name=$1
	shift
	printf '%s\n' '[Unit]' 'After=basic.target' '[Service]' 'Type=exec' "ExecStartPre=-/usr/local/bin/act \"create /srv/boot/$name\"" \
		'ExecStart=/usr/bin/sleep infinity' "$@" '[Install]' 'WantedBy=multi-user.target' >"/etc/systemd/system/$name.service"
	systemctl enable -q "$name.service"
}
unit named
unit sliced Slice=named-tests.slice
unit other
sync
