# shellcheck shell=sh
# Reports what there is at paths, as requested by lines on stdin. Changes nothing.
export LC_ALL=C TZ=UTC0
cd @DIRECTORY@ || exit

# kinds PATH...: prints a letter for each.
kinds() {
    found_kinds=
    for one_item in "$@"; do
        if [ -L "$one_item" ]; then
            found_kinds=${found_kinds}l
        elif [ -f "$one_item" ]; then
            found_kinds=${found_kinds}f
        elif [ -d "$one_item" ]; then
            found_kinds=${found_kinds}d
        elif [ -e "$one_item" ]; then
            found_kinds=${found_kinds}o
        else
            found_kinds=$found_kinds-
        fi
    done
    echo "@MARK@k $found_kinds"
}

# tokens PATH...: prints what stat reports, for all paths at once or for each.
tokens() {
    echo "@MARK@t"
    if sync_tokens=$(stat @STAT@ "$@" 2>/dev/null); then
        echo "$sync_tokens"
        return
    fi
    for one_item in "$@"; do
        stat @STAT@ "$one_item" 2>/dev/null || echo "t"
    done
}

# digests PATH...: of files whose names fit on a line.
digests() {
    echo "@MARK@d"
    @HASH@ "$@" 2>/dev/null
}

# digest PATH: of a single file.
digest() {
    echo "@MARK@d"
    @HASH@ <"$1"
}

# links PATH...: prints where they lead.
links() {
    for one_item in "$@"; do
        echo "@MARK@l"
        readlink "$one_item"
    done
}

@SET_NEWLINE@
while IFS= read -r one_line; do
    eval "$one_line"
    echo "@MARK@."
done
