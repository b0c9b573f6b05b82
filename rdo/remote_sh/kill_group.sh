# shellcheck shell=sh
# Run by sudo: signals $0 to the group $1, but only by a builtin. See lifeline.sh.
case $(command -v kill) in
kill) ;;
*) exit 1 ;;
esac
kill "-$0" "-$1"
