# shellcheck shell=sh
# Says what there is at paths, as the lines on stdin ask for it, and changes nothing.
export LC_ALL=C TZ=UTC0
cd @DIRECTORY@ || exit

# kinds PATH...: a letter for each.
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

# tokens PATH...: what stat says, of all or of each.
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

# digests PATH...: of files, with names that a line can hold.
digests() {
    echo "@MARK@d"
    @HASH@ "$@" 2>/dev/null
}

# digest PATH: of one.
digest() {
    echo "@MARK@d"
    @HASH@ <"$1"
}

# links PATH...: where they lead.
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
