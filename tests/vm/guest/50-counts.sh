# N uses are N, whatever the CPUs do; the record is exact, also when the daemon
# is killed in the middle.
. /root/guest/lib.sh

reconciles() { proofgate ledger reconcile >/tmp/reconcile.out || { sed 's/^/# /' /tmp/reconcile.out; false; }; }
mkdir -p /srv/t/counts /opt/t /srv/sink
echo x >/srv/t/counts/file
cp /root/guest/prog /opt/t/prog
chmod 755 /opt/t/prog
rm -f /srv/sink/ready
python3 /root/guest/sink.py &
sink=$!
trap 'kill $sink 2>/dev/null; finish' EXIT
await test -e /srv/sink/ready

id=$(issue --rule t.write --object /srv/t/counts --uses 10000)
same "200 processes × 200 openings under 10,000 uses: exactly 10,000 succeed" "$(governed act storm 200 200 write /srv/t/counts/file)" 10000
same "the gate counted 10,000" "$(used_of "$id")" 10000
ok "and the ledger agrees" reconciles
id=$(issue --rule t.net --object udp:127.0.0.1:7001 --uses 1000)
same "100 processes × 20 sends under 1,000 uses: exactly 1,000 succeed" "$(governed act storm 100 20 sendto 127.0.0.1 7001)" 1000
same "the gate counted 1,000" "$(used_of "$id")" 1000
id=$(issue --rule t.exec --object /opt/t/prog --uses 200)
same "20 processes × 20 runs under 200 uses: exactly 200 succeed" "$(governed act storm 20 20 exec /opt/t/prog)" 200
same "the gate counted 200" "$(used_of "$id")" 200
ok "and the ledger agrees again" reconciles

id=$(issue --rule t.write --object /srv/t/counts --uses 4000)
governed act storm 50 200 write /srv/t/counts/file >/tmp/storm.out &
job=$!
moving() { [[ $(used_of "$id") -gt 200 ]]; }
ok "uses are being taken" await moving
systemctl kill -s KILL --kill-whom=main proofgate.service
wait $job
same "the daemon is killed in the middle: exactly 4,000 succeed" "$(cat /tmp/storm.out)" 4000
ok "the daemon comes back" await proofgate status
same "the gate counted 4,000" "$(used_of "$id")" 4000
ok "the ledger lost nothing" reconciles
ok "and is whole" proofgate ledger verify
