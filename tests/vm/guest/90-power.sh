# Half of the power-cut test: takes uses until the power is cut, after so many
# more of them as the argument says.
. /root/guest/lib.sh
trap - EXIT
more=${1:-0}
mkdir -p /srv/t/power
echo x >/srv/t/power/file
id=$(issue --rule t.write --object /srv/t/power --uses 100000)
governed act storm 4 20000 write /srv/t/power/file >/dev/null &
moving() { [[ $(used_of "$id") -gt $((500 + more)) ]]; }
await moving
proofgate ledger checkpoint >/dev/null
echo "receipt $id"
echo "cut the power now"
wait
