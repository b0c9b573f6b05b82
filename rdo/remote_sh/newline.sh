# shellcheck shell=sh
# A newline, under the name that template.py uses. The script itself is one line.
#
# On the wire: rdo_newline=rdo_n
rdo_newline=$(printf '\nx')
rdo_newline=${rdo_newline%x}
