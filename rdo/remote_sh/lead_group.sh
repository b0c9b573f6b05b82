# shellcheck shell=sh
# Starts the bootstrap, which is $0, as the leader of a process group. Signal 0 reaches the group of our number only
# if we lead one. setsid(1) would fork where we do, so it is not asked then. Where there is none, the shell's own
# process is all that can be signalled.
#
# A kill that knows `--` is asked with it: the program of procps, which posh runs, misreads a group without it, and may
# say yes. The builtin of busybox knows none. Signal 0 does nothing.
if kill -0 -- $$ 2>/dev/null; then kill -0 -- -$$ 2>/dev/null; else kill -0 -$$ 2>/dev/null; fi ||
    ! command -v setsid >/dev/null || exec setsid /bin/sh -c "$0"
exec /bin/sh -c "$0"
