# all.sh FILE…: runs test files one after the other.
for file in "$@"; do
	echo "# file $file at $SECONDS s"
	timeout 400 bash "/root/guest/$file"
done
echo "# file end at $SECONDS s"
