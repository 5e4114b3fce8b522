# Sourced by scripts/vm after common.sh: kernels and root images, in the cache.
# Everything is made under a temporary name and renamed when whole, so that an
# interrupted run leaves nothing that a later one would take.

# with_lock NAME COMMAND…: one at a time over all runs.
with_lock() {
	local name=$1
	shift
	mkdir -p "$CACHE"
	(
		flock 9
		"$@"
	) 9>"$CACHE/$name.lock"
}

# kernel_package SERIES: the newest cloud kernel of a series that apt offers.
kernel_package() {
	local escaped=${1//./\\.}
	apt-cache search --names-only "^linux-image-$escaped\\..*-cloud-amd64(-unsigned)?\$" |
		cut -d' ' -f1 | grep -v -e -dbg | grep -- '-unsigned$' | sort -V | tail -1
}

# fetch_kernel SERIES: unpacks it below the cache and prints the directory.
fetch_kernel() {
	local package version dir
	package=$(kernel_package "$1")
	[[ $package ]] || {
		apt-get update -qq >&2
		package=$(kernel_package "$1")
	}
	[[ $package ]] || fail "apt offers no kernel of series $1"
	version=$(apt-cache show "$package" | sed -n 's/^Version: //p' | head -1)
	dir=$CACHE/kernels/$package-${version//[^a-zA-Z0-9.+~-]/_}
	if [[ ! -d $dir ]]; then
		step "fetching the kernel $package"
		local made
		made=$(mktemp -d "$CACHE/kernel.XXXXXX")
		chmod 755 "$made"
		(cd "$made" && apt-get download "$package" >&2 && dpkg -x ./*.deb root && rm ./*.deb) ||
			fail "the kernel $package could not be fetched"
		mkdir -p "$CACHE/kernels"
		mv "$made/root" "$dir"
		rm -rf "$made"
	fi
	# The newest of a series is enough.
	local old
	for old in "$CACHE"/kernels/linux-image-"$1".*; do
		[[ $old == "$dir" ]] || rm -rf "$old"
	done
	echo "$dir"
}

kernel_dir() { with_lock kernels fetch_kernel "$1"; }

make_base() {
	local base=$1 made names
	[[ -f $base ]] && return
	names=$(packages_of image)
	step "making the root file system (once, a minute or two)"
	made=$(mktemp "$CACHE/base.XXXXXX")
	local sources=()
	local file
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
		[[ -s $file ]] && sources+=("$file")
	done
	mmdebstrap --quiet --mode=root --variant=minbase --format=tar \
		--include="${names// /,}" \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		bookworm "$made" "${sources[@]}" >&2 || {
		rm -f "$made"
		fail "the root file system could not be made"
	}
	rm -f "$CACHE"/base-*.tar
	mv "$made" "$base"
}

# make_image DEB IMAGE BASE KERNEL…: the root file system with the package
# installed by dpkg and the units that run the command.
make_image() {
	local deb=$1 image=$2 base=$3 root made kernel
	shift 3
	[[ -f $image ]] && return
	step "installing the package into the image"
	root=$(mktemp -d "$CACHE/root.XXXXXX")
	made=$(mktemp "$CACHE/image.XXXXXX")
	(
		set -e
		tar -C "$root" --numeric-owner -xpf "$base"
		for kernel in "$@"; do
			mkdir -p "$root/usr/lib/modules"
			cp -a "$kernel"/lib/modules/* "$root/usr/lib/modules/"
			chroot "$root" depmod "$(ls "$kernel/lib/modules")"
		done
		cp "$deb" "$root/tmp/proofgate.deb"
		chroot "$root" dpkg -i /tmp/proofgate.deb >&2
		rm "$root/tmp/proofgate.deb"
		echo proofgate-vm >"$root/etc/hostname"
		printf '127.0.0.1 localhost proofgate-vm\n::1 localhost\n' >"$root/etc/hosts"
		chroot "$root" passwd -d root >&2
		rm -f "$root/etc/machine-id"
		chroot "$root" systemd-machine-id-setup >&2
		# What would make the boot longer or depend on the hour.
		chroot "$root" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
			e2scrub_all.timer e2scrub_reap.service fstrim.timer man-db.timer nginx.service \
			apparmor.service cron.service postgresql.service ssh.service \
			systemd-timesyncd.service getty@tty1.service serial-getty@ttyS0.service >&2
		install -D -m 755 scripts/lib/guest-run "$root/usr/lib/proofgate-vm/guest-run"
		install -D -m 644 scripts/lib/proofgate-vm.service "$root/etc/systemd/system/proofgate-vm.service"
		chroot "$root" systemctl --quiet enable proofgate-vm.service >&2
		truncate -s 4G "$made"
		mke2fs -q -t ext4 -E root_owner=0:0 -d "$root" "$made"
	) || {
		rm -rf "$root" "$made"
		fail "the image could not be made"
	}
	rm -rf "$root"
	mv "$made" "$image"
	# Keep the three newest.
	ls -t "$CACHE"/image-*.ext4 | tail -n +4 | xargs -r rm -f
}
