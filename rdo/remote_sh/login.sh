# shellcheck shell=sh
# Makes the user's login shell start the bootstrap, as an interactive login shell. The bootstrap is passed in a
# variable, which it removes, since it would otherwise have to be quoted again for a shell of any kind. csh accepts -l
# only as its sole option; without it, it reads its start-up file anyway.
#
# As in bootstrap.sh: no single quotes, no `!`; and backslashes only before `"` and `$`, where fish and csh keep them.
#
# On the wire: rdo_login_shell=rdo_l rdo_options=rdo_o
RDO_BOOT="unset RDO_BOOT; @BOOTSTRAP@"
export RDO_BOOT
rdo_login_shell=${SHELL:-/bin/sh}
rdo_options="-l -i"
case $rdo_login_shell in
*csh) rdo_options=-i ;;
esac
# shellcheck disable=SC2086 # $rdo_options is a list of words
exec "$rdo_login_shell" $rdo_options -c "exec /bin/sh -c \"\$RDO_BOOT\""
