# A boot of the same host by a kernel that was told to do without BPF LSM.
. /root/guest/start.sh

rm -f /srv/boot/*
ok "the kernel has no BPF LSM" not grep -q bpf /sys/kernel/security/lsm
ok "the named unit does not start" not timeout 100 systemctl start named.service 2>/dev/null
ok "nor does one in the named slice" not timeout 100 systemctl start sliced.service 2>/dev/null
ok "another starts" timeout 60 systemctl start other.service
same "only the other acted" "$(ls /srv/boot)" other
proofgate doctor >/tmp/doctor 2>&1
same "doctor says that this host cannot enforce" $? 3
ok "and what to do" grep -q 'add it to the kernel command line' /tmp/doctor
