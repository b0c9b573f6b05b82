# shellcheck shell=sh
# Like restore_modes.sh, and then sets the modes of the caller's terminal. If stty does not know a word, it sets
# nothing; then each setting is tried separately.
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
