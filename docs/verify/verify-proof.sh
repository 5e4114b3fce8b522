#!/usr/bin/env bash
# verify-proof.sh PROOF KEY.pem [ORIGIN]: is the entry in PROOF (what `proofgate
# ledger prove` wrote) in the log that KEY.pem signs? Needs bash, openssl, xxd
# and coreutils; nothing of Proofgate. Prints the entry; exits 1 if not proved.
set -euo pipefail
export LC_ALL=C
no() { echo "NOT PROVED: $*" >&2 && exit 1; }
hash() { xxd -r -p | openssl dgst -sha256 -binary | xxd -p -c 32; } # hex in, hex out
unbase64() { # to hex; only the one right way of writing it
	local hex && hex=$(base64 -d <<<"$1" 2>/dev/null | xxd -p | tr -d '\n') || no "not base64"
	[[ $(xxd -r -p <<<"$hex" | base64 -w 0) == "$1" ]] && echo "$hex" || no "not base64"
}
next() { IFS= read -r line <&3 || no "the file ends early"; }

(($# == 2 || $# == 3)) || no "usage: $0 PROOF KEY.pem [ORIGIN]"
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
[[ $(tr -d '\000' <"$1" | wc -c) == "$(wc -c <"$1")" ]] || no "not text"
exec 3<"$1"
next && [[ $line == "c2sp.org/tlog-proof@v1" ]] || no "not a tlog-proof"
next && [[ $line == "extra "* ]] || no "no entry"
entry=$(unbase64 "${line#extra }")
next && [[ $line =~ ^index\ (0|[1-9][0-9]{0,14})$ ]] || no "no index"
index=${BASH_REMATCH[1]} path=()
while next && [[ $line ]]; do
	path+=("$(unbase64 "$line")")
	[[ ${#path[-1]} == 64 ]] || no "a hash of 32 bytes expected"
done
# The checkpoint: origin, size and root, signed with Ed25519.
next && origin=$line
next && [[ $line =~ ^[1-9][0-9]{0,14}$ ]] && size=$line || no "no size"
next && root=$(unbase64 "$line")
printf '%s\n' "$origin" "$size" "$line" >"$work/text"
next && [[ ! $line ]] || no "a checkpoint of three lines expected"
[[ ${3:-$origin} == "$origin" ]] && signature= || no "the log is $origin"
while [[ ! $signature ]]; do
	next && [[ $line == "— "* ]] || no "no signature by $origin"
	[[ $line == "— $origin "* ]] && signature=$(unbase64 "${line#"— $origin "}")
done
key=$(openssl pkey -pubin -in "$2" -outform DER | tail -c 32 | xxd -p -c 32)
id=$(printf '%s\n\001' "$origin" | cat - <(xxd -r -p <<<"$key") | openssl dgst -sha256 -binary | head -c 4 | xxd -p)
[[ ${#signature} == 136 && $signature == "$id"* ]] || no "the signature is of another key"
xxd -r -p <<<"${signature:8}" >"$work/signature"
openssl pkeyutl -verify -pubin -inkey "$2" -rawin -in "$work/text" -sigfile "$work/signature" >/dev/null 2>&1 ||
	no "the signature does not match"
# The Merkle path from the entry to the root: RFC 9162, 2.1.3.2.
((index < size)) || no "no such entry"
node=$(hash <<<"00$entry") fn=$index sn=$((size - 1))
for sibling in ${path[@]+"${path[@]}"}; do
	((sn > 0)) || no "the path is too long"
	if ((fn & 1 || fn == sn)); then
		node=$(hash <<<"01$sibling$node")
		until ((fn & 1 || fn == 0)); do ((fn >>= 1, sn >>= 1, 1)); done
	else
		node=$(hash <<<"01$node$sibling")
	fi
	((fn >>= 1, sn >>= 1, 1))
done
((sn == 0)) && [[ $node == "$root" ]] || no "the entry is not in this tree"
echo "proved: entry $index of $origin, in the signed head of $size entries" >&2
xxd -r -p <<<"$entry"
