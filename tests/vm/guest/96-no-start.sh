# A boot without a daemon, on a host whose canon names two units: with whatever
# is broken, they do not start, and others do.
. /root/guest/start.sh

ok "no daemon runs" not systemctl is-active -q proofgate.service
refuses() { # refuses FAULT: the named do not start, the other does
	systemctl stop other.service
	rm -f /srv/boot/other
	ok "$1: the named unit does not start" not timeout 100 systemctl start named.service 2>/dev/null
	ok "$1: nor does one in the named slice" not timeout 100 systemctl start sliced.service 2>/dev/null
	ok "$1: they are not running" not systemctl is-active -q named.service sliced.service
	ok "$1: another starts" timeout 60 systemctl start other.service
	same "$1: only the other acted" "$(ls /srv/boot)" other
	systemctl stop proofgate.service
	systemctl reset-failed
}
state=/var/lib/proofgate

mv $state/host_key /root/host_key
refuses "key missing"
mv /root/host_key $state/host_key

cp -a $state/ledger /root/ledger
for manifest in $state/ledger/store/MANIFEST-*; do dd if=/dev/urandom of="$manifest" bs=512 count=1 conv=notrunc 2>/dev/null; done
refuses "ledger corrupt"
rm -rf $state/ledger
mv /root/ledger $state/ledger

mv /usr/sbin/proofgated /root/proofgated
printf '#!/bin/sh\nexit 1\n' >/usr/sbin/proofgated
chmod 755 /usr/sbin/proofgated
refuses "daemon broken"
rm /usr/sbin/proofgated
refuses "daemon missing"
mv /root/proofgated /usr/sbin/proofgated

size=$(du -sk $state | cut -f1)
cp -a $state /root/state
mount -t tmpfs -o size=$((size + 64))k none $state
cp -a /root/state/. $state/
dd if=/dev/zero of=$state/filler bs=1k 2>/dev/null
refuses "disk full"
rm $state/filler
mount -o remount,ro $state
refuses "disk read-only"
umount $state

# And when nothing is broken, starting the unit brings the daemon up first.
starts() { # starts UNIT: or what it and the daemon say
	timeout 400 systemctl start "$1" && return
	journalctl -q -b -u "$1" -u proofgate.service -o short-monotonic --no-pager | tail -n 15 | sed 's/^/# journal: /'
	return 1
}
rm -f /srv/boot/*
ok "nothing broken: the named unit starts" starts named.service
ok "and the daemon before it" systemctl is-active -q proofgate.service
ok "and the one in the slice" starts sliced.service
same "their first processes were governed" "$(ls /srv/boot)" ""
