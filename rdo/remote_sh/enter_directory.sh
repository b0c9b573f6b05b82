# shellcheck shell=sh
# Runs no command if its directory cannot be entered. rdo knows what to tell the user about that.
#
# On the wire: rdo_mark=rdo_k rdo_bell=rdo_b
# shellcheck disable=SC2154 # set by prove.sh
cd @DIRECTORY@ 2>/dev/null || {
    echo "$rdo_mark;astray$rdo_bell"
    exit 255
}
