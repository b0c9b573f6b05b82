# shellcheck shell=sh
# Run by sudo: sends signal $0 to group $1, but only with a builtin. See lifeline.sh.
PATH=/dev/null kill -0 $$ 2>/dev/null || exit 1
kill "-$0" "-$1"
