# What the canon of the bench grants, as a profile.
abi <abi/3.0>,

profile bench {
  capability,
  network,
  signal,
  unix,
  /** r,
  owner /srv/bench/tmpfs/** rw,
  owner /srv/bench/ext4/** rw,
  /dev/null rw,
  /opt/bench/* rix,
  /usr/local/bin/bench-ops rix,
  /usr/lib/** mr,
}
