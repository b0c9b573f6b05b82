# shellcheck shell=sh
# A newline, by the name that template.py spells it. The script itself is one line.
#
# On the wire: rdo_newline=rdo_n
rdo_newline=$(printf '\nx')
rdo_newline=${rdo_newline%x}
