# shellcheck shell=sh
# Run by sudo, where its user may enter a directory that ours may not: $0, with the line for where that one may not
# either, and the command.
cd "$0" 2>/dev/null || {
    printf '%s\n' "$1" >&2
    exit 255
}
shift
@RUN@
