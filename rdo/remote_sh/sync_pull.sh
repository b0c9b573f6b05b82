# shellcheck shell=sh
# Lists what there is below some paths, then sends what the lines on stdin ask for. Changes nothing but its own mark,
# which distinguishes a target that was set up afresh from one where files were removed.
#
# On the wire: rdo_newline=rdo_n
export LC_ALL=C TZ=UTC0
cd @DIRECTORY@ 2>/dev/null || {
    echo "@MARK@!fault directory"
    exit
}
command -v find >/dev/null 2>&1 || {
    echo "@MARK@!fault find"
    exit
}
pull_mark=
if [ -d .rdo-sync/@IDENTITY@ ] && [ ! -L .rdo-sync ]; then
    [ ! -r .rdo-sync/@IDENTITY@/pulls ] || read -r pull_mark <.rdo-sync/@IDENTITY@/pulls
    [ "$pull_mark" = @PULLS@ ] || echo @PULLS@ >.rdo-sync/@IDENTITY@/pulls
fi
echo "@MARK@!pulls $pull_mark"

# report WORD COMMAND...: runs a command, and then prints the word, the command's status and its first complaint.
report() {
    report_word=$1
    shift
    { first_complaint=$("$@" 2>&1 >&3); } 3>&1
    report_status=$?
    first_complaint=${first_complaint%%"$rdo_newline"*}
    printf '@MARK@%s%s %.300s\n' "$report_word" "$report_status" "$first_complaint"
}

# scan PATH PARENT...: lists what there is at the path, or else the link in place of one of its parent directories.
scan() {
    report '!scanned ' list "$@"
}

list() {
    list_path=$1
    shift
    [ -e "$list_path" ] || [ -L "$list_path" ] || return 0
    for list_way in "$@"; do
        if [ -L "$list_way" ]; then
            stat @STAT@ "$list_way"
            return
        fi
    done
    find "$list_path" -path ./.rdo-sync -prune -o -exec stat @STAT@ {} +
}

# send PATH...
send() {
    report . pack "$@"
}

# pack PATH... GNU tar interprets `\t` in a path as a tab unless told not to, by an option that no other tar knows.
# Options that the user has set for it must not affect this archive.
pack() {
    pack_option=
    case $* in
    *\\*) ! tar --no-unquote --version >/dev/null 2>&1 || pack_option=--no-unquote ;;
    esac
    TAR_OPTIONS='' tar $pack_option -cf - "$@"
}
@SET_NEWLINE@
while IFS= read -r one_line; do
    eval "$one_line"
done
