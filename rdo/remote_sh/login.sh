# shellcheck shell=sh
# Has the user's login shell start the bootstrap, as a login shell and interactive. The bootstrap travels in a
# variable, which it removes, since it would have to be quoted once more for a shell of any kind. csh takes -l only
# alone; it reads its start-up file without.
#
# As in bootstrap.sh: no single quote, no `!`; and no backslash but before `"` and `$`, where fish and csh leave it
# alone.
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
