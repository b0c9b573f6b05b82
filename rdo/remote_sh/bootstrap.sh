# shellcheck shell=sh
# What a channel without a pty starts: the shell prints that it is ready, with its process id and the login shell. It
# also prints on stderr that it is ready, after whatever a start-up file may have written there.
#
# This text is put in single quotes in a command for any login shell: no single quotes, no `!`, no backslashes.
echo "@NONCE@ $$ ${SHELL-}"
echo @NONCE@ >&2
@READ_SCRIPT@
