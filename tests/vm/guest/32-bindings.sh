# Exec receipts that bind how a program runs: arguments, environment, content.
. /root/guest/lib.sh

mkdir -p /opt/b
cp "$(readlink -f /usr/bin/python3)" /opt/b/python3
cp /bin/bash /opt/b/bash
cp /root/guest/say /opt/b/say
printf '#!/opt/b/bash\necho "the script ran with $*"\n' >/opt/b/script
chmod 755 /opt/b/*

# Runs lines of bash in the domain, in one process; each prints what it printed
# and its status: 137 for one that was killed, 126 for one that was refused.
try() { in_domain b bash -c "$1" 2>/dev/null; }
bound() { proofgate receipt issue --domain b "$@"; }
revoke() { proofgate receipt revoke "$1" >/dev/null; }
why_is() { proofgate why --last --json | grep -q "\"$1\""; }

# ---- arguments
say='/opt/b/say one two'
same "no receipt: refused" "$(try "$say; echo \$?")" 126
id=$(bound --rule b.free --object /opt/b/say --argv=/opt/b/say --argv=one --argv=two --uses 3)
same "bound arguments: it runs" "$(try "$say; echo \$?")" "$(printf 'said one two\n0')"
same "other arguments: it never runs" "$(try '/opt/b/say one; echo $?
/opt/b/say one two three; echo $?
/opt/b/say "one two"; echo $?
/opt/b/say one tw; echo $?
/opt/b/say one twO; echo $?
/opt/b/say one "two "; echo $?
(exec -a say /opt/b/say one two); echo $?')" "$(printf '137\n%.0s' 1 2 3 4 5 6 7)"
ok "and why says so" await why_is ARGV_MISMATCH
same "no arguments at all, which the kernel makes one empty one" "$(try 'python3 -c "
import ctypes, os
libc = ctypes.CDLL(None)
pid = os.fork()
if pid == 0:
    libc.execve(b\"/opt/b/say\", (ctypes.c_char_p * 1)(None), (ctypes.c_char_p * 1)(None)); os._exit(1)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"')" "-9"
same "a child by posix_spawn is killed, its parent is not" "$(try 'python3 -c "
import os
for words in ([\"/opt/b/say\", \"x\"], [\"/opt/b/say\", \"one\", \"two\"]):
    pid = os.posix_spawn(words[0], words, os.environ)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)"')" "$(printf -- '-9\nsaid one two\n0')"
same "and so is a program that a second thread executes" "$(try 'python3 -c "
import os, threading, time
threading.Thread(target=lambda: os.execv(\"/opt/b/say\", [\"/opt/b/say\", \"x\"])).start()
time.sleep(30)"; echo $?')" 137
same "refused programs took no use, those that ran did" "$(used_of "$id")" 2
same "the last use, and no more" "$(try "$say; echo \$?; $say; echo \$?")" "$(printf 'said one two\n0\n126')"

# Several receipts for one program: each for its own arguments.
one=$(bound --rule b.free --object /opt/b/say --argv=/opt/b/say --argv=1)
two=$(bound --rule b.free --object /opt/b/say --argv-prefix=/opt/b/say --argv-prefix=2)
same "each receipt for its own arguments" "$(try '/opt/b/say 1; echo $?; /opt/b/say 2 and more; echo $?; /opt/b/say 1 2; echo $?; /opt/b/say 3; echo $?')" \
	"$(printf 'said 1\n0\nsaid 2 and more\n0\n137\n137')"
same "and each took its own use" "$(used_of "$one")$(used_of "$two")" 11
revoke "$one"
same "revoked: its arguments run no more" "$(try '/opt/b/say 1; echo $?; /opt/b/say 2; echo $?')" "$(printf '137\nsaid 2\n0')"
revoke "$two"

# Longer than a page, so that it straddles one wherever it starts.
long=$(printf 'x%.0s' $(seq 4000))
id=$(bound --rule b.free --object /opt/b/say --argv=/opt/b/say --argv="$long" --argv "")
same "4,000 bytes of arguments, and an empty one" "$(try "/opt/b/say $long '' | wc -c; /opt/b/say ${long%x}y ''; echo \$?; /opt/b/say $long; echo \$?")" \
	"$(printf '4007\n137\n137')"
revoke "$id"
same "more than the gate holds is not issued" "$(bound --rule b.free --object /opt/b/say --argv=/opt/b/say --argv="$long$long" 2>&1 | grep -c 'at most 4096 bytes')" 1

# A program whose arguments another thread changes while it is executed: what
# was compared is what it gets.
id=$(bound --rule b.free --object /opt/b/say --argv=/opt/b/say --argv=good --uses 100000)
in_domain b /usr/local/bin/race argv /opt/b/say good evil 150 >/tmp/race.out 2>&1
ok "changed by a thread while it is executed: only what is bound runs" test "$(grep -c 'said good' /tmp/race.out)" -gt 0
same "and nothing else ever does" "$(grep -c 'said evil' /tmp/race.out)" 0
ok "though it was tried" grep -q '^killed [1-9]' /tmp/race.out
same "each run took a use" "$(used_of "$id")" "$(grep -c 'said good' /tmp/race.out)"
revoke "$id"

# ---- environment
python='/opt/b/python3 -I -S -c "print(\"bound\")"'
id=$(bound --rule b.python)
same "the rule's own binding: python3 runs" "$(try "$python; echo \$?")" "$(printf 'bound\n0')"
same "and nothing else of it" "$(try '/opt/b/python3 -I -S -c "print(1)"; echo $?
echo "print(2)" | /opt/b/python3; echo $?')" "$(printf '137\n137')"
cp /usr/lib/x86_64-linux-gnu/libm.so.6 /opt/b/lib.so
same "with a variable that loads code it never runs" "$(for v in LD_PRELOAD=/opt/b/lib.so LD_AUDIT=x LD_LIBRARY_PATH= PYTHONPATH=/tmp \
	PYTHONSTARTUP=x BASH_ENV=/tmp/x ENV=x GLIBC_TUNABLES=x 'BASH_FUNC_ls%%=() { :; }'; do echo "env '$v' $python; echo \$?"; done | try "$(cat)")" \
	"$(printf '137\n%.0s' 1 2 3 4 5 6 7 8 9)"
ok "and why says so" await why_is ENV_MISMATCH
same "behind 300 others, long ones among them" "$(try "for i in {1..300}; do export V\$i=$long; done 2>/dev/null
for i in {20..300}; do export V\$i=1; done; $python; echo \$?; env Z=1 LD_DEBUG=all $python; echo \$?")" "$(printf 'bound\n0\n137')"
same "what only looks like one may stay" "$(try "env OLD_PRELOAD=1 LD=1 XPYTHONPATH=1 ENVY=1 $python")" bound
revoke "$id"
id=$(bound --rule b.free --object /opt/b/say --env clean --env MODE=safe --env 'APP_*')
same "a bound variable must be there, and be that" "$(try 'env MODE=safe /opt/b/say x; echo $?
/opt/b/say x; echo $?
env MODE=unsafe /opt/b/say x; echo $?
env MODE=safer /opt/b/say x; echo $?
env MODE= /opt/b/say x; echo $?
env MODE=safe APP_X=1 /opt/b/say x; echo $?')" "$(printf 'said x\n0\n137\n137\n137\n137\n137')"
same "and not twice" "$(try 'python3 -c "
import ctypes, os
libc = ctypes.CDLL(None)
def run(*env):
    pid = os.fork()
    if pid == 0:
        libc.execve(b\"/opt/b/say\", (ctypes.c_char_p * 3)(b\"s\", b\"x\", None), (ctypes.c_char_p * (len(env) + 1))(*env, None)); os._exit(1)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
run(b\"MODE=safe\", b\"MODE=unsafe\"); run(b\"MODE=unsafe\", b\"MODE=safe\"); run(b\"\", b\"MODE=safe\", b\"MODE\")"')" "$(printf -- '-9\n-9\nsaid x\n0')"
revoke "$id"

# ---- content
digest() { echo "sha256:$(sha256sum "$1" | cut -d' ' -f1)"; }
cp /opt/b/say /opt/b/tool
id=$(bound --rule b.free --object /opt/b/tool --content "$(digest /opt/b/tool)" --uses 100000)
same "pinned content: it runs" "$(try '/opt/b/tool x; echo $?')" "$(printf 'said x\n0')"
touch -r /opt/b/tool /tmp/when
printf 'S' | dd of=/opt/b/tool bs=1 seek="$(grep -abo 'said %s' /opt/b/tool | head -n 1 | cut -d: -f1)" conv=notrunc status=none
touch -r /tmp/when /opt/b/tool
same "it does run otherwise" "$(/opt/b/tool x)" "Said x"
same "changed from outside, of the same size and time: refused" "$(try '/opt/b/tool x; echo $?')" 126
ok "and why says so" await why_is CONTENT_MISMATCH
cat /opt/b/say >/opt/b/tool
same "restored: it runs" "$(try '/opt/b/tool x; echo $?')" "$(printf 'said x\n0')"
same "refused programs took no use" "$(used_of "$id")" 2
exec 8>>/opt/b/tool
same "while somebody has it open for writing it does not run" "$(try '/opt/b/tool x; echo $?')" 126
exec 8>&-
in_domain b /opt/b/tool wait >/tmp/tool.out 2>&1 &
job=$!
ok "while it runs" await grep -q waiting /tmp/tool.out
same "nobody opens it for writing" "$( (echo x >>/opt/b/tool) 2>&1 | grep -c 'Text file busy')" 1
kill $job
wait $job 2>/dev/null
revoke "$id"
mkdir -p /opt/b/swap
sed 's/said %s/evil %s/' /opt/b/say >/opt/b/evil && chmod 755 /opt/b/evil
same "the evil twin" "$(/opt/b/evil x)" "evil x"
id=$(bound --rule b.free --object '/opt/b/swap/*' --content "$(digest /opt/b/say)" --uses 100000)
cp /opt/b/say /opt/b/swap/tool
(while :; do
	cp /opt/b/evil /opt/b/swap/new && mv /opt/b/swap/new /opt/b/swap/tool
	cat /opt/b/say >/opt/b/swap/tool
	cat /opt/b/evil >/opt/b/swap/tool
	cp /opt/b/say /opt/b/swap/new && mv /opt/b/swap/new /opt/b/swap/tool
done) 2>/dev/null &
swapper=$!
try 'for i in {1..120}; do /opt/b/swap/tool x; echo "status $?"; done' >/tmp/swap.out
kill $swapper
wait $swapper 2>/dev/null
ok "swapped and rewritten all the time: the pinned content runs" grep -q 'said x' /tmp/swap.out
same "and no other" "$(grep -c evil /tmp/swap.out)" 0
ok "though it was met" grep -q 'status 126' /tmp/swap.out
revoke "$id"

# ---- scripts: the interpreter is bound, whose arguments name the script
script=$(bound --rule b.free --object /opt/b/script --argv-prefix=/opt/b/script)
shell=$(bound --rule b.free --object /opt/b/bash)
same "a script is not bound" "$(try '/opt/b/script x; echo $?')" 126
ok "and why says so" await why_is BOUND_SCRIPT
revoke "$script"
revoke "$shell"
script=$(bound --rule b.free --object /opt/b/script)
shell=$(bound --rule b.free --object /opt/b/bash --argv=/opt/b/bash --argv=/opt/b/script --argv=x --env clean)
same "its interpreter is" "$(try '/opt/b/script x; echo $?; /opt/b/script y; echo $?; /opt/b/bash -c "echo evil"; echo $?')" \
	"$(printf 'the script ran with x\n0\n137\n137')"
revoke "$script"
revoke "$shell"

# ---- the first process of a pid namespace, which ignores what is not forced
id=$(bound --rule b.free --object /opt/b/say --argv=/opt/b/say --argv=one)
unshare -pf proofgate run --domain b -- /opt/b/say one >/tmp/ns.out 2>/dev/null
same "it runs" "$?$(cat /tmp/ns.out)" "0said one"
unshare -pf proofgate run --domain b -- /opt/b/say two >/tmp/ns.out 2>/dev/null
same "with other arguments it is killed" "$?$(cat /tmp/ns.out)" 137
revoke "$id"

# ---- an unbound receipt beside bound ones; observing; the ledger
id=$(bound --rule b.free --object /opt/b/say --argv=/opt/b/say --argv=one)
free=$(bound --rule b.free --object /opt/b/say)
same "an unbound receipt covers all" "$(try '/opt/b/say three')" "said three"
same "and gives the use" "$(used_of "$id")$(used_of "$free")" 01
revoke "$id"
revoke "$free"
observed=$(proofgate receipt issue --domain bo --rule b.watched)
same "a domain that observes blocks nothing" "$(in_domain bo /opt/b/say two)" "said two"
same "and takes no use" "$(used_of "$observed")" 0
same "ungoverned" "$(env LD_BIND_NOW=1 /opt/b/say three)" "said three"
same "the receipt says what it binds" "$(proofgate receipt show "$observed" --json | python3 -c '
import json, sys
print(json.load(sys.stdin)["receipt"]["argv"])')" "{'exact': ['/opt/b/say', 'one']}"
ok "all acts and refusals are in the ledger" quietly proofgate ledger reconcile
ok "replay agrees" quietly proofgate replay --all
