# Overlay file systems: what is done in one is judged by its name there, once;
# its layers are judged like any directory by who reaches for them directly.
. /root/guest/lib.sh

low=/srv/layers/low up=/srv/layers/up over=/srv/t/over
mkdir -p $low/a/empty $low/b $up /srv/layers/work $over
for name in append chmod truncate unlink rename link setxattr open_trunc mmap; do echo "of the lower layer" >$low/a/$name; done
echo "of the lower layer" >$low/b/f
mount -t overlay overlay -o lowerdir=$low,upperdir=$up,workdir=/srv/layers/work $over
lower_before=$(python3 /root/guest/snap.py $low)

acts=("append $over/a/append" "chmod $over/a/chmod" "truncate $over/a/truncate" "unlink $over/a/unlink"
	"rename $over/a/rename $over/a/renamed" "link $over/a/link $over/a/linked" "setxattr $over/a/setxattr"
	"open_trunc $over/a/open_trunc" "create $over/a/new" "mkdir $over/a/dir" "rmdir $over/a/empty"
	"symlink /etc/passwd $over/a/symlink" "mkfifo $over/a/fifo")
before=$(python3 /root/guest/snap.py $over)
same "without a receipt" "$(governed act "${acts[@]}" | awk '{ print $2 }' | sort -u)" EPERM
same "without a receipt: nothing changed" "$(python3 /root/guest/snap.py $over)" "$before"
same "without a receipt: nothing was copied up" "$(find $up -mindepth 1)" ""

mapfile -t right < <(for act in "${acts[@]}"; do echo "${act%% *} OK"; done)
receipt=$(issue --rule t.write --object $over/a)
same "with a receipt" "$(governed act "${acts[@]}")" "$(printf '%s\n' "${right[@]}")"
same "one use for each act, though the layers are changed as well" "$(used_of "$receipt")" ${#acts[@]}
ok "written to" test "$(wc -c <$over/a/append)" -gt 19
ok "emptied" not grep -q lower $over/a/open_trunc
ok "made" test -e $over/a/new -a -d $over/a/dir -a -p $over/a/fifo -a -L $over/a/symlink
ok "gone" test ! -e $over/a/unlink -a ! -e $over/a/empty -a ! -e $over/a/rename
ok "renamed and linked" test -e $over/a/renamed -a $over/a/link -ef $over/a/linked
same "the lower layer is as it was" "$(python3 /root/guest/snap.py $low)" "$lower_before"
same "beside the receipt" "$(governed act "append $over/b/f")" "append EPERM"
same "the upper layer by its own name" "$(governed act "append $up/a/append")" "append EPERM"
same "the lower layer by its own name" "$(governed act "append $low/b/f")" "append EPERM"
proofgate receipt revoke "$receipt" >/dev/null
same "after revocation" "$(governed act "append $over/a/append")" "append EPERM"

one=$(issue --rule t.write --object $over/b/f --uses 1)
same "a file of the lower layer, once" "$(governed act "append $over/b/f")" "append OK"
same "not twice" "$(governed act "append $over/b/f")" "append EPERM"
same "one use was taken" "$(used_of "$one")" 1

# The kernel writes a core file with credentials of its own, too.
sysctl -qw kernel.core_pattern=core
mkdir -p /srv/t/dump
dump() { governed bash -c 'ulimit -c unlimited; cd "$1" && kill -SEGV $$' bash "$1"; }
dump /srv/layers 2>/dev/null
ok "no core file where no receipt is" test ! -e /srv/layers/core
issue --rule t.write --object /srv/t/dump >/dev/null
dump /srv/t/dump 2>/dev/null
ok "a core file where one is" test -s /srv/t/dump/core

# Programs.
mkdir -p /srv/layers/programs /srv/layers/up2 /srv/layers/work2 /opt/t/over
cp /root/guest/prog /srv/layers/programs/prog
mount -t overlay overlay -o lowerdir=/srv/layers/programs,upperdir=/srv/layers/up2,workdir=/srv/layers/work2 /opt/t/over
runs() { governed "$1" 2>/dev/null; test $? = 42; }
ok "a program without a receipt" not runs /opt/t/over/prog
issue --rule t.exec --object /opt/t/over/prog >/dev/null
ok "a program with one" runs /opt/t/over/prog
ok "not the same by the layer's name" not runs /srv/layers/programs/prog
umount -l /opt/t/over $over # the daemon holds what receipts name
