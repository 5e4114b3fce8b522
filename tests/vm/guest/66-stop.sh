# The emergency stop: one store in the gate, in force at the next hook whatever is
# open and however many receipts live; its entries come when the disk takes them.
# PROOFGATE_LONG: with 10,000 receipts.
. /root/guest/lib.sh

receipts=1000 && [[ ${PROOFGATE_LONG:-} ]] && receipts=10000
mkdir -p /srv/t/stop
mount -t tmpfs stop /srv/t/stop  # what is written is in memory: the ledger's file system will stand still
python3 - "$receipts" <<'PY'
import sys
for i in range(int(sys.argv[1])):
    open("/srv/t/stop/%d" % i, "w").close()
PY
ok "$receipts receipts" python3 /root/guest/stop.py issue "$receipts"
same "they live" "$(proofgate receipt list --json | python3 -c '
import json, sys
print(sum(r["state"] == "live" and not r["standing"] for r in json.load(sys.stdin)["receipts"]))')" "$receipts"
# The process writes through a descriptor that it opened before; no entry can be
# written from before the stop until the process has been refused and has ended.
ok "refused while no entry can be written: an open descriptor, and a new opening" \
	timeout 120 python3 /root/guest/stop.py stop
same "then each receipt is recorded as dead" "$(proofgate receipt list --json | python3 -c '
import json, sys
print(sum(r["state"] == "live" and r["domain"] == "t" for r in json.load(sys.stdin)["receipts"]))')" 0
ok "nothing runs in the domain" not proofgate run --domain t -- true 2>/dev/null
ok "not after a restart either" quietly systemctl restart proofgate
ok "the daemon is back" await quietly proofgate status
ok "nothing runs in the domain" not proofgate run --domain t -- true 2>/dev/null
ok "it is resumed" quietly proofgate resume --domain t
same "standing receipts are issued anew, the others stay dead" "$(governed act "write /srv/t/stop/0" "write /dev/null")" "$(printf 'write EPERM\nwrite OK')"
quietly issue --rule t.write --object /srv/t/stop/0
same "a new one lives" "$(governed act "write /srv/t/stop/0")" "write OK"
replays() { proofgate replay --all >/tmp/replay.out || { tail -n 30 /tmp/replay.out | sed 's/^/# /'; false; }; }
ok "replay is exact" replays
umount -l /srv/t/stop
