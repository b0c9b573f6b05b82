# shellcheck shell=sh
# Reads the script, which is one line, and runs it. A line that was cut off is not run: `read` fails at the end of file.
# Bytes are read, not characters: in a UTF-8 locale bash loses a byte 1 after a character that was cut off.
#
# On the wire: rdo_script=rdo_s
IFS= LC_ALL=C read -r rdo_script && eval "$rdo_script"
