# shellcheck shell=sh
# Restores the modes of the pty, and reports that, since bash would read earlier input together with the script.
#
# On the wire: rdo_modes=rdo_m rdo_mark=rdo_k rdo_bell=rdo_b
# shellcheck disable=SC2154 # set by bootstrap_pty.sh and prove.sh
stty "$rdo_modes" 2>/dev/null || {
    printf '%s\n' @FAILED@ >&2
    exit 255
}
# shellcheck disable=SC2154
echo "$rdo_mark;ready$rdo_bell"
