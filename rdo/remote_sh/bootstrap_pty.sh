# shellcheck shell=sh
# What a channel with a pty starts. A terminal that is not in raw mode would echo the script, truncate it at 4096 bytes,
# and act on its control characters. The modes are saved for the script, which restores them.
#
# As in bootstrap.sh: no single quotes, no `!`, no backslashes.
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
