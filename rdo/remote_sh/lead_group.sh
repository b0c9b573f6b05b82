# shellcheck shell=sh
# Starts the bootstrap, which is $0, as the leader of a process group. Signal 0 reaches the group of our number only if
# we lead one already, in which case setsid(1) would fork, and is not used. Without setsid, only the shell's own process
# can be signalled.
#
# `kill` is called with `--` if it supports that: the program of procps, which posh runs, misreads a group without it,
# and may report success. busybox's builtin does not support it. Signal 0 has no effect.
if kill -0 -- $$ 2>/dev/null; then kill -0 -- -$$ 2>/dev/null; else kill -0 -$$ 2>/dev/null; fi ||
    ! command -v setsid >/dev/null || exec setsid /bin/sh -c "$0"
exec /bin/sh -c "$0"
