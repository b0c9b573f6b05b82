# shellcheck shell=sh
# Run by sudo, whose user may be able to enter a directory that ours cannot: $0, which is followed by the line to print
# if that user cannot either, and by the command.
cd "$0" 2>/dev/null || {
    printf '%s\n' "$1" >&2
    exit 255
}
shift
@RUN@
