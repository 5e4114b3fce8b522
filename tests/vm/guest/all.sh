# all.sh FILE…: runs test files one after the other.
for file in "$@"; do
	echo "# file $file at $SECONDS s"
	timeout 600 bash "/root/guest/$file"
done
echo "# file end at $SECONDS s"
journalctl -q -u proofgate.service -o cat --no-pager | grep -E '^proofgated: |^terminate|^TAMPERED|signal' | tail -n 40 | sed 's/^/# daemon: /'
