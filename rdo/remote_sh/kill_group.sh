# shellcheck shell=sh
# Run by sudo: signals $0 to the group $1, but only by a builtin. See lifeline.sh.
PATH=/dev/null kill -0 $$ 2>/dev/null || exit 1
kill "-$0" "-$1"
