# shellcheck shell=sh
# As restore_modes.sh, and then sets those of the caller's terminal. stty sets nothing where it does not know a word, so
# then each setting is tried by itself.
#
# On the wire: rdo_modes=rdo_m rdo_mark=rdo_k rdo_bell=rdo_b
# shellcheck disable=SC2154 # set by bootstrap_pty.sh and prove.sh
stty "$rdo_modes" @SETTINGS@ 2>/dev/null || {
    stty "$rdo_modes" 2>/dev/null || {
        printf '%s\n' @FAILED@ >&2
        exit 255
    }
    @EACH_BY_ITSELF@
}
# shellcheck disable=SC2154
echo "$rdo_mark;ready$rdo_bell"
