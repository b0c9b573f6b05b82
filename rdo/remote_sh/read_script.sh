# shellcheck shell=sh
# Reads the script, which is one line, and runs it. An incomplete line is not run, since `read` fails at the end of
# file. The locale makes `read` take bytes, not characters: in a UTF-8 locale bash loses a byte 1 after an incomplete
# character.
#
# On the wire: rdo_script=rdo_s
IFS= LC_ALL=C read -r rdo_script && eval "$rdo_script"
