# shellcheck shell=sh
# Runs the bootstrap, which is $0, on the terminal $1, which the leader of a new session acquires by opening it.
# shellcheck disable=SC2094 # a terminal is not a file that is read and written
exec /bin/sh -c "$0" <"$1" >"$1" 2>&1
