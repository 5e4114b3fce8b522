# Sourced by the tests of boots without a daemon: lib.sh without its first step,
# which asks the daemon.
proofgate() { if [[ $1 == receipt && $2 == list ]]; then echo '{"receipts":[]}'; else command proofgate "$@"; fi; }
. /root/guest/lib.sh
unset -f proofgate
