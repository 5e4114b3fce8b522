# In the guest: runs the table of attacks and reports. See attack.h.
set -u
here=$(dirname "$0")
began=$SECONDS
mkdir -p /srv/sink /srv/a /srv/s /mnt/btrfs /root/results
for phase in none expired used revoked right standing free; do
	mkdir -p /opt/a/$phase /srv/a/$phase
	cp "$here/prog" "$here/dynamic" "$here/lib.so" /opt/a/$phase/
	printf '#!/opt/a/%s/prog\n' $phase >/opt/a/$phase/script
	chmod 755 /opt/a/$phase/*
done
mkdir -p /srv/s/standing
cp "$here/attacks" /usr/local/bin/attacks
for copy in {0..23}; do cp "$here/attacks" /usr/local/bin/attacks-$copy; done
truncate -s 120M /root/btrfs.img
mkfs.btrfs -q /root/btrfs.img && mount -o loop /root/btrfs.img /mnt/btrfs && head -c 65536 /dev/urandom >/mnt/btrfs/f
sysctl -qw net.ipv4.tcp_fastopen=3 kernel.core_pattern=core net.ipv4.ping_group_range="0 2147483647"
proofgate canon apply "$here/canon.yaml" >/dev/null || exit 1
python3 "$here/report.py" start
attacks run /root/results "${1:-.}" || echo "# attacks: ended with $?"
python3 "$here/report.py" end /root/results/results.jsonl
echo "# $((SECONDS - began)) s"
