# Half of the power-cut test: takes uses until the power is cut.
. /root/guest/lib.sh
trap - EXIT
mkdir -p /srv/t/power
echo x >/srv/t/power/file
id=$(issue --rule t.write --object /srv/t/power --uses 100000)
governed act storm 4 20000 write /srv/t/power/file >/dev/null &
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
moving() { [[ $(used_of "$id") -gt 500 ]]; }
await moving
proofgate ledger checkpoint >/dev/null
echo "receipt $id"
echo "cut the power now"
wait
