# Canon as signed bundles: who must have signed, what is refused, and what
# processes see when one follows another. It pins a trust root, and there is no
# way back to plain files: tests/vm/run lets it be the last of its boot.
. /root/guest/lib.sh

mkdir -p /srv/k/old1 /srv/k/old2 /srv/k/new1 /srv/k/new2 /srv/k/both /srv/k/never /srv/k/issued /tmp/keys
cd /tmp/keys || exit
for who in ceremony alice bob; do ssh-keygen -q -t ed25519 -N '' -C '' -f $who; done
key() { echo "{ \"owner\": \"$1\", \"key\": \"$(cut -d' ' -f1,2 "$1.pub")\" }"; }
cat >root.json <<-ROOT
	{ "format": 1, "version": 1, "tenant": "test", "roles": {
	  "root": { "threshold": 1, "keys": [$(key ceremony)] },
	  "canon": { "threshold": 2, "keys": [$(key alice), $(key bob)] } } }
ROOT
canon() { # canon RULES…: the domain k with these standing grants and rules
	printf 'format: 1\ntenant: test\ndomain: k\nmode: enforce\nstanding:\n  - { id: base, profile: base }\n'
	printf '%s\n' "$@"
}
both='  - { id: both, write: [{ dir: /srv/k/both }] }'
old="  - { id: old1, write: [{ dir: /srv/k/old1 }] }
  - { id: old2, write: [{ dir: /srv/k/old2 }] }"
new="  - { id: new1, write: [{ dir: /srv/k/new1 }] }
  - { id: new2, write: [{ dir: /srv/k/new2 }] }"
rule='rules:
  - { id: k.write, permit: write, in: [{ dir: /srv/k/issued }], limits: { ttl: "1h", uses: 1000 }, match: [/srv/k/issued/a], no_match: [/srv/k/a] }'
canon "$both" "$old" "$rule" >k-old.yaml
canon "$both" "$new" "$rule" >k-new.yaml
canon "$both" "$old" >k-less.yaml
canon "$both" "$old" "$rule" '  - { id: k.never, permit: write, in: [{ dir: /srv/k/never }], limits: { ttl: "1h", uses: 1 } }' >k-wide.yaml

previous=
build_options=
sign() { # sign DIR WHO…
	local dir=$1 who
	shift
	for who; do proofgate canon sign "$dir" --key "$who" --name "$who" >/dev/null 2>&1; done
}
now() { # the version in force, 0 before the first bundle
	[[ $previous ]] || { echo 0 && return; }
	proofgate canon trust --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["version"])'
}
bundle() { # bundle DIR FILE [WHO…]: the next version, signed
	local dir=$1 file=$2
	shift 2
	rm -rf "$dir"
	# shellcheck disable=SC2086  # words
	proofgate canon build --out "$dir" --version $(($(now) + 1)) --tenant test ${previous:+--previous $previous} $build_options "$file" >/dev/null &&
		sign "$dir" "$@"
}
apply() { # apply DIR, which is what the next one follows
	proofgate canon apply "$1" >/dev/null && previous=$1/manifest.json
}
code() { # code COMMAND…: the code with which it is refused
	"$@" 2>&1 >/dev/null | grep -oE '[A-Z]+(_[A-Z]+)+|EXPIRED|ROLLBACK' | head -1
}

same "a trust root that its own role has not signed is not pinned" "$(code proofgate canon trust root.json)" ROOT_NEW_THRESHOLD_NOT_MET
ssh-keygen -q -Y sign -n root@proofgate -f ceremony root.json 2>/dev/null
ok "one that is signed is pinned" quietly proofgate canon trust root.json --signature root.json.sig
same "a plain file is no longer taken" "$(code proofgate canon apply k-old.yaml)" SIGNATURE_REQUIRED
bundle b1 k-old.yaml alice bob
ok "a bundle that two have signed is taken" apply b1
same "it is in the ledger" "$(proofgate ledger query --kind CANON_BUNDLE | tail -1 | grep -o 'version .*')" "version 1"

in_k() { in_domain k "$@"; }
receipt=$(proofgate receipt issue --domain k --rule k.write)
for file in issued/a old1/a never/a; do echo before >/srv/k/$file; done
same "what it permits has an effect, what it does not has none" \
	"$(in_k act "write /srv/k/issued/a" "write /srv/k/old1/a" "write /srv/k/never/a")" \
	"$(printf 'write OK\nwrite OK\nwrite EPERM')"
unchanged() { # unchanged NAME: an allowed act goes on, a denied one stays denied
	echo before >/srv/k/issued/a
	same "$1" "$(now) $(in_k act "write /srv/k/issued/a" "write /srv/k/never/a" | tr '\n' ' ')$(cat /srv/k/issued/a), $(cat /srv/k/never/a)" \
		"$version write OK write EPERM written by act, before"
}
version=$(now)
bundle b2 k-wide.yaml alice
same "one signature of two is refused" "$(code proofgate canon apply b2)" THRESHOLD_NOT_MET
unchanged "and changes nothing"
cp b2/alice.sig b2/alice-again.sig
same "the same signature twice is refused" "$(code proofgate canon apply b2)" SIGNED_TWICE
sign b2 bob
rm b2/alice-again.sig
sed -i 's/never/both/' b2/files/k-wide.yaml
same "a file that was changed after signing is refused" "$(code proofgate canon apply b2)" FILE_MISMATCH
sed -i 's/"version":[0-9]*/"version":99/' b2/manifest.json
same "a manifest that was changed after signing is refused" "$(code proofgate canon apply b2)" SIGNATURE_INVALID
same "an older one is refused" "$(code proofgate canon apply b1)" ROLLBACK
unchanged "all of which change nothing"
same "each refusal is an entry" "$(proofgate ledger query --kind CANON_REFUSED | wc -l)" 6

# Its permit goes between two writes through one descriptor.
mkfifo /tmp/keys/go
exec 5<>/tmp/keys/go
cat >/tmp/keys/writer.py <<'PY'
import os, sys
fd = os.open("/srv/k/issued/w", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
os.write(fd, b"before\n")
print("written", flush=True)
sys.stdin.readline()
try:
    os.write(fd, b"after\n")
    print("OK", flush=True)
except OSError as error:
    print("EPERM" if error.errno == 1 else error, flush=True)
PY
in_k python3 /tmp/keys/writer.py <&5 >/tmp/keys/writer.out 2>/tmp/keys/writer.err &
writer=$!
ok "a process writes under its receipt" await grep -q written /tmp/keys/writer.out || cat /tmp/keys/writer.err
bundle b3 k-less.yaml alice bob
ok "a canon without the rule is taken" apply b3
echo go >&5
wait $writer
same "the next write is refused" "$(tail -1 /tmp/keys/writer.out)" EPERM || cat /tmp/keys/writer.err
same "and has had no effect" "$(cat /srv/k/issued/w)" before
same "its receipt is revoked, by an entry" "$(proofgate ledger query --kind REVOKE | grep -c "${receipt:0:12}")" 1

# Fifty processes work while one canon follows another, from the drop directory.
bundle b4 k-new.yaml alice bob
proofgate canon pack b4 --out /tmp/keys/b4.bundle >/dev/null
cat >/tmp/keys/workers.py <<'PY'
# Fifty processes, each trying in turn what only the old, only the new, both and
# neither canon permits, until all it sees is the new one. Each says in the end
# which pictures it has seen.
import os, time
def can(path):
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        return "1"
    except PermissionError:
        return "0"
def work():
    me, seen = str(os.getpid()), []
    while not seen or seen[-1][:4] != "0101":
        picture = "".join(can(f"/srv/k/{name}/{me}") for name in ("old1", "new1", "old2", "new2", "both", "never"))
        if not seen:
            print("working", flush=True)
        if not seen or seen[-1] != picture:
            seen.append(picture)
        time.sleep(0.5)  # every act is an entry: fifty that never pause are another test
    print(" ".join(seen), flush=True)
for _ in range(50):
    if os.fork() == 0:
        work()
        os._exit(0)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
PY
in_k python3 /tmp/keys/workers.py >/tmp/keys/workers.out 2>/tmp/keys/workers.err &
workers=$!
working() { (($(grep -c working /tmp/keys/workers.out) == 50)); }
ok "fifty processes work" await working || tail -3 /tmp/keys/workers.err
mv /tmp/keys/b4.bundle /var/lib/proofgate/drop/
wait $workers
same "all of them came to see the new canon" "$(grep -vc working /tmp/keys/workers.out)" 50
# Whole: the old one up to some act, the new one from it on.
same "none saw half a canon" "$(grep -v working /tmp/keys/workers.out | tr ' ' '\n' | sort -u | grep -vxE '(1010|1011|1001|1101|0101)10' | tr '\n' ' ')" ""
same "what the drop directory held is in force" "$(now)" "$(python3 -c 'import json; print(json.load(open("/tmp/keys/b4/manifest.json"))["version"])')"

# In steps, on the host: judged by the ledger, run beside the canon in force
# without effect, approved, promoted.
previous=b4/manifest.json
build_options='--shadow-seconds 2'
bundle b5 k-new.yaml alice bob
build_options=
ok "a canon that asks for a time beside it is taken" apply b5
bundle b6 k-old.yaml
proposal=$(proofgate canon propose b6 --why 'back to the old')
flips=
names() { python3 -c 'import json, sys; print("\n".join(flip["name"] for flip in json.load(sys.stdin)["impact"]["flips"]))'; }
promote() {
	local name words=()
	for name in $flips; do words+=(--acknowledge "$name"); done
	proofgate canon promote "$proposal" "${words[@]}"
}
for file in old1/a new1/a; do echo before >/srv/k/$file; done
acts() { in_k act "write /srv/k/old1/a" "write /srv/k/new1/a" | tr '\n' ' '; }
same "unjudged it is not promoted" "$(code promote)" GATES_NOT_PASSED
flips=$(proofgate canon judge "$proposal" --json | names)
ok "the judgement says what the fifty did that it would refuse" test -n "$flips"
same "it must have run beside the canon in force" "$(code promote)" SHADOW_INCOMPLETE
ok "it begins to" quietly proofgate canon shadow "$proposal"
same "which has no effect" "$(acts)$(cat /srv/k/old1/a /srv/k/new1/a | tr '\n' ' ')" "write EPERM write OK before written by act "
found() { proofgate canon shadow "$proposal" --json | python3 -c 'import json, sys; found = json.load(sys.stdin); sys.exit(found["seconds"] < 2 or found["impact"]["acts"] < 2)'; }
ok "and has seen both acts" await found
flips="$flips $(proofgate canon shadow "$proposal" --json | names)"
same "two must approve" "$(code promote)" THRESHOLD_NOT_MET
sign b6 alice bob
ok "they do" quietly proofgate canon approve "$proposal" --signature b6/alice.sig --signature b6/bob.sig
all=$flips
flips=
same "what it changes must be acknowledged" "$(code promote)" FLIP_NOT_ACKNOWLEDGED
flips=$all
for file in old1/a new1/a; do echo before >/srv/k/$file; done
ok "then it is promoted" quietly promote
same "and the gate follows" "$(acts)$(cat /srv/k/old1/a /srv/k/new1/a | tr '\n' ' ')" "write OK write EPERM written by act before "
same "without a receipt its rule gives nothing" "$(in_k act "write /srv/k/issued/a")" "write EPERM"
same "and the refusal shows what the rule is meant for" "$(proofgate why --last | grep -o 'such as .*')" "such as /srv/k/issued/a, not /srv/k/a)"
same "each step is an entry" "$(proofgate ledger tail -n 2000 | grep -oE ' CANON_(PROPOSED|GATES|SHADOW|APPROVED|SHADOWED|PROMOTED) ' | uniq | tr -d '\n')" \
	" CANON_PROPOSED  CANON_GATES  CANON_SHADOW  CANON_APPROVED  CANON_SHADOWED  CANON_PROMOTED "
same "replay finds nothing else" "$(proofgate replay --all | grep -o '[0-9]* differ')" "0 differ"
