# Sourced by the scripts: what several of them need.

CACHE=${PROOFGATE_CACHE:-$HOME/.cache/proofgate}

fail() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# Seconds since the script began, in front of what is going on.
step() {
	printf '[%4d s] %s\n' "$SECONDS" "$*" >&2
}

# The names of a group in scripts/packages.
packages_of() {
	sed -n "s/^$1: //p" scripts/packages
}

# require_packages GROUP…: installs what is missing, by name, and says so once.
# With PROOFGATE_NO_INSTALL=1 it only checks.
require_packages() {
	local group name missing=()
	for group in "$@"; do
		for name in $(packages_of "$group"); do
			dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
		done
	done
	((${#missing[@]})) || return 0
	if [[ ${PROOFGATE_NO_INSTALL:-} == 1 ]]; then
		fail "packages are missing; install them with: apt-get install ${missing[*]}"
	fi
	step "installing: ${missing[*]}"
	apt-get update -qq >&2
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

use_ccache() {
	export CCACHE_DIR=$CACHE/ccache
	mkdir -p "$CCACHE_DIR"
}
