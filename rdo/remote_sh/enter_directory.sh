# shellcheck shell=sh
# Without its directory no command is run.
cd @DIRECTORY@ 2>/dev/null || {
    printf '%s\n' @LOST@ >&2
    exit 255
}
