# shellcheck shell=sh
# Lists what there is below some paths, then sends what the lines on stdin ask for. Changes nothing but its own mark,
# which distinguishes a target that was set up afresh from one where files were removed.
export LC_ALL=C TZ=UTC0
cd @DIRECTORY@ 2>/dev/null || {
    echo "!fault directory"
    exit
}
pull_mark=
if [ -d .rdo-sync/@IDENTITY@ ] && [ ! -L .rdo-sync ]; then
    [ ! -r .rdo-sync/@IDENTITY@/pulls ] || read -r pull_mark <.rdo-sync/@IDENTITY@/pulls
    [ "$pull_mark" = @PULLS@ ] || echo @PULLS@ >.rdo-sync/@IDENTITY@/pulls
fi
echo "!pulls $pull_mark"
# shellcheck disable=SC2034 # asked for by a line
scan_status=0

# scan PATH PARENT...: lists what there is at the path, or else the link in place of one of its parent directories.
scan() {
    scan_path=$1
    shift
    [ -e "$scan_path" ] || [ -L "$scan_path" ] || return 0
    for scan_way in "$@"; do
        if [ -L "$scan_way" ]; then
            stat @STAT@ "$scan_way" || scan_status=1
            return 0
        fi
    done
    # shellcheck disable=SC2034
    find "$scan_path" -path ./.rdo-sync -prune -o -exec stat @STAT@ {} + || scan_status=1
}

# send PATH... GNU tar interprets `\t` in a path as a tab unless told not to, by an option that no other tar knows.
# Options that the user has set for it must not affect this archive.
send() {
    send_option=
    case $* in
    *\\*) ! tar --no-unquote --version >/dev/null 2>&1 || send_option=--no-unquote ;;
    esac
    TAR_OPTIONS='' tar $send_option -cf - "$@"
    echo "@MARK@.$?"
}
@SET_NEWLINE@
while IFS= read -r one_line; do
    eval "$one_line"
done
