# shellcheck shell=sh
# Without its directory no command is run; what that means for the user, rdo knows.
#
# On the wire: rdo_mark=rdo_k rdo_bell=rdo_b
# shellcheck disable=SC2154 # set by prove.sh
cd @DIRECTORY@ 2>/dev/null || {
    echo "$rdo_mark;astray$rdo_bell"
    exit 255
}
