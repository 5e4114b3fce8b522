# The other half: what a boot after a power cut finds.
. /root/guest/lib.sh
id=$1
ok "the ledger is whole" proofgate ledger verify
ok "the gate and the ledger agree" proofgate ledger reconcile
ok "no receipt of the other boot lives" not grep -q "$id" <(proofgate receipt list --json)
mapfile -t lines < <(proofgate ledger tail -n 200000 --json)
printf '%s\n' "${lines[@]}" >/tmp/entries
ok "what it left open is an interval" python3 - "$id" <<'PY'
import json, sys
entries = [json.loads(line) for line in open("/tmp/entries")]
acts = sum(1 for e in entries if e["kind"] == "ACT" and e["body"].get("receipt") == sys.argv[1])
open_ = [e["body"] for e in entries if e["kind"] == "UNSETTLED" and e["body"]["id"] == sys.argv[1]]
assert len(open_) == 1, open_
body = open_[0]
print("# acts in the ledger", acts, "interval", body["last_settled"], body["granted"])
assert body["last_settled"] <= acts <= body["granted"] == 100000
PY
ok "lost denials are said" grep -q '"kind":"DENIALS_LOST"' /tmp/entries
same "what that receipt covered is refused now" "$(governed act "write /srv/t/power/file")" "write EPERM"
