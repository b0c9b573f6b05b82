# shellcheck shell=sh
# What a channel without a pty starts: the shell says that it is ready, its process id and the login shell; and on
# stderr that it is ready, after what a start-up file may have written there.
#
# It stands in single quotes in a command for any login shell: no quote of that kind, no `!`, no backslash.
echo "@NONCE@ $$ ${SHELL-}"
echo @NONCE@ >&2
@READ_SCRIPT@
