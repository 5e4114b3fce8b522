# Every way to change a file, a name or metadata: refused without a receipt,
# with one for a neighbour, expired, used up or revoked; allowed with the right
# one; an ungoverned process is never affected.
. /root/guest/lib.sh

verbs="write append create open_trunc pwritev2 ftruncate fallocate sendfile copy_range splice fchmod truncate
mkdir rmdir mknod mkfifo unlink rename exchange link symlink tmpfile chmod chown utimes setxattr removexattr"
mapped="mmap_shared mprotect_shared"

echo "something to copy" >/srv/source
template=/srv/template
mkdir -p $template/empty
head -c 8192 /dev/zero | tr '\0' a >$template/f
head -c 100 /dev/zero | tr '\0' b >$template/g
setfattr -n user.kept -v 1 $template/f

scene() { # scene DIR: one copy of the template for each verb
	mkdir -p "$1"
	for verb in $verbs $mapped; do cp -a $template "$1/$verb"; done
}
lines() { # lines DIR VERB…: the acts, for act
	local dir=$1 verb
	shift
	for verb in "$@"; do
		local at=$dir/$verb
		case $verb in
		create | mkdir | mknod | mkfifo) echo "$verb $at/new" ;;
		rmdir) echo "$verb $at/empty" ;;
		rename | link) echo "$verb $at/f $at/new" ;;
		exchange) echo "$verb $at/f $at/g" ;;
		symlink) echo "$verb /etc/passwd $at/new" ;;
		tmpfile) echo "$verb $at $at/new" ;;
		*) echo "$verb $at/f" ;;
		esac
	done
}
# try WHO DIR WANTED NAME VERB…: WANTED is OK (and the scene of each verb
# changes) or an errno (and nothing does).
try() {
	local who=$1 dir=$2 wanted=$3 name=$4 verb said
	shift 4
	declare -A before=() after=() says=()
	while read -r verb said; do before[$verb]=$said; done < <(python3 /root/guest/snap.py "$dir")
	mapfile -t acts < <(lines "$dir" "$@")
	while read -r verb said; do says[$verb]=$said; done < <(
		if [[ $who == nobody ]]; then act "${acts[@]}"; else in_domain "$who" act "${acts[@]}"; fi
	)
	while read -r verb said; do after[$verb]=$said; done < <(python3 /root/guest/snap.py "$dir")
	for verb in "$@"; do
		same "$name: $verb says $wanted" "${says[$verb]:-nothing}" "$wanted"
		if [[ $wanted == OK ]]; then
			ok "$name: $verb has an effect" test "${after[$verb]}" != "${before[$verb]}"
		else
			same "$name: $verb has no effect" "${after[$verb]}" "${before[$verb]}"
		fi
	done
}

for condition in none neighbour expired used-up revoked right ungoverned; do scene /srv/t/$condition; done
scene /srv/s
scene /srv/o

try t /srv/t/none EPERM "no receipt" $verbs $mapped

mkdir -p /srv/t/next-door
issue --rule t.write --object /srv/t/next-door >/dev/null
same "the receipt for the neighbour is good there" "$(governed act "create /srv/t/next-door/new")" "create OK"
try t /srv/t/neighbour EPERM "receipt for a neighbour" $verbs $mapped

expiring=$(issue --rule t.write --object /srv/t/expired --ttl 200ms)
ok "the receipt runs out" await state_is "$expiring" expired
try t /srv/t/expired EPERM "expired receipt" $verbs

one=$(issue --rule t.write --object /srv/t/used-up --uses 1)
same "the only use is good" "$(governed act "utimes /srv/t/used-up")" "utimes EPERM"
same "a tree does not hold its own directory" "$(used_of "$one")" 0
same "the only use is good below it" "$(governed act "utimes /srv/t/used-up/write/g")" "utimes OK"
try t /srv/t/used-up EPERM "used-up receipt" $verbs

revoked=$(issue --rule t.write --object /srv/t/revoked)
same "good before the revocation" "$(governed act "utimes /srv/t/revoked/write/g")" "utimes OK"
proofgate receipt revoke "$revoked" >/dev/null
try t /srv/t/revoked EPERM "revoked receipt" $verbs

issue --rule t.write --object /srv/t/right >/dev/null
try t /srv/t/right OK "right receipt" $verbs
try t /srv/t/right EPERM "counted receipt, shared mapping" $mapped
try s /srv/s OK "standing grant" $verbs $mapped
try o /srv/o OK "observed domain" $verbs $mapped
try nobody /srv/t/ungoverned OK "ungoverned" $verbs $mapped

# One file, there or not; one directory.
echo old >/srv/t/single
issue --rule t.write --object /srv/t/single >/dev/null
issue --rule t.write --object /srv/t/to-be >/dev/null
mkdir -p /srv/t/flat/below
issue --rule t.write --object '/srv/t/flat/*' >/dev/null
same "a receipt for one file" "$(governed act "write /srv/t/single")" "write OK"
same "not for another" "$(governed act "create /srv/t/single2")" "create EPERM"
same "a receipt for a file that is not there yet" "$(governed act "create /srv/t/to-be")" "create OK"
same "a receipt for a directory" "$(governed act "create /srv/t/flat/new")" "create OK"
same "not for what is deeper" "$(governed act "create /srv/t/flat/below/new")" "create EPERM"
same "both ends of a rename" "$(governed act "rename /srv/t/flat/new /srv/t/flat/below/new")" "rename EPERM"

# A receipt bound to one program.
mkdir /srv/t/bound
issue --rule t.write --object /srv/t/bound --exe /usr/bin/touch >/dev/null
ok "the program it names may" governed touch /srv/t/bound/new
same "another may not" "$(governed act "create /srv/t/bound/other")" "create EPERM"
ok "which is said" grep -q EXE_MISMATCH <(proofgate why --last)

# Descriptors.
mkdir /srv/t/fd
exec 7>>/srv/t/fd/inherited
same "an inherited descriptor is no way in" "$(governed act "inherited 7")" "inherited EPERM"
ok "nothing was written" test ! -s /srv/t/fd/inherited
held=$(issue --rule t.write --object /srv/t/fd)
mkfifo /tmp/go
governed bash -c 'exec 8>>/srv/t/fd/held; echo first >&8; echo ready; read -r _ </tmp/go; echo second >&8' >/tmp/held.out 2>&1 &
job=$!
await grep -q ready /tmp/held.out
proofgate receipt revoke "$held" >/dev/null
echo >/tmp/go
wait $job
same "a descriptor ends with its receipt" "$(cat /srv/t/fd/held)" first

# Symbolic links, hard links, other names.
ln -s /etc /srv/t/right/etc
before=$(sha256sum /etc/hostname)
same "through a symbolic link" "$(governed act "write /srv/t/right/etc/hostname")" "write EPERM"
same "through dots" "$(governed act "write /srv/t/right/../../../etc/hostname")" "write EPERM"
same "through /proc" "$(governed act "write /proc/self/root/etc/hostname")" "write EPERM"
same "/etc is unchanged" "$(sha256sum /etc/hostname)" "$before"
# A link that it makes where canon names a file: the daemon that resolves canon's paths must not follow it.
echo kept >/srv/not-yours
own=$(issue --rule t.write --object /srv/t)
governed ln -s /srv/not-yours /srv/t/one
ok "the link is there" test -L /srv/t/one
proofgate receipt revoke "$own" >/dev/null
ok "no receipt for what it leads to" not quietly issue --rule t.one
ok "nor when it is asked for by name" not quietly issue --rule t.one --object /srv/t/one
same "nor can it be written" "$(governed act "write /srv/not-yours"; governed act "write /srv/t/one")" "$(printf 'write EPERM\nwrite EPERM')"
same "it is unchanged" "$(cat /srv/not-yours)" kept
rm /srv/t/one
echo >/srv/t/one
ok "a file in its place gets one" quietly issue --rule t.one
same "and can be written" "$(governed act "write /srv/t/one")" "write OK"
same "a device node" "$(governed act "write /dev/nvme0n1")" "write EPERM"
same "the null device" "$(governed act "write /dev/null")" "write OK"
