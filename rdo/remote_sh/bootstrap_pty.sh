# shellcheck shell=sh
# What a channel with a pty starts. On a terminal that is not raw, the script would be shown, cut at 4096 bytes, and its
# control characters acted on. Its modes are kept for the script, which restores them.
#
# As in bootstrap.sh: no single quote, no `!`, no backslash.
#
# On the wire: rdo_modes=rdo_m
# shellcheck disable=SC2034 # see restore_modes.sh
if rdo_modes=$(stty -g 2>/dev/null) && stty raw -echo 2>/dev/null; then
    echo "@NONCE@ $$ ${SHELL-}"
    @READ_SCRIPT@
else
    echo "@NONCE@ @NO_STTY@"
    exit 255
fi
