# all.sh FILE…: runs test files one after the other.
limit=900 && [[ ${PROOFGATE_LONG:-} ]] && limit=1500
for file in "$@"; do
	echo "# file $file at $SECONDS s"
	timeout "$limit" bash "/root/guest/$file"
done
echo "# file end at $SECONDS s"
journalctl -q -u proofgate.service -o cat --no-pager | grep -E '^proofgated: |^stopping: |^terminate|^TAMPERED|signal' | tail -n 40 | sed 's/^/# daemon: /'
