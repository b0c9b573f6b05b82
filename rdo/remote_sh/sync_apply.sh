# shellcheck shell=sh
# The functions by which a push processes an unpacked archive. The calls follow, with paths as `./PATH`.
#
# Nothing is written under its final name: each file is moved there, and each new directory with all its contents.
# Before the first change, `pending` records what is going to be done, and after the last, the manifest records that it
# was.
# shellcheck disable=SC2154 # set by sync_push.sh
exec </dev/null
item_number=0
is_apart=
dirs_existing=

# stop_sync WORD: reports a fault; nothing was changed.
stop_sync() {
    cd "$sync_root" || exit
    rm -rf "$sync_stage" "$sync_lock"
    echo "!$1"
    exit
}

# fail_sync STEP: reports a failure; something may have been changed, and `pending` stays.
fail_sync() {
    rm -f "$sync_lock"
    echo "!fault $1"
    exit
}

# same TOKENS PATH...: checks that the paths are as they were left.
same() {
    sync_tokens=$1
    shift
    [ "$(stat @STAT@ "$@" 2>/dev/null)" = "$sync_tokens" ] || stop_sync differ
}

# none PATH...: checks that nothing exists at the paths.
none() {
    for one_item in "$@"; do
        if [ -e "$one_item" ] || [ -L "$one_item" ]; then stop_sync differ; fi
    done
}

# plain PATH...: checks that these are directories, or can be created, so that no link leads elsewhere.
plain() {
    for one_item in "$@"; do
        if [ -L "$one_item" ] || { [ -e "$one_item" ] && [ ! -d "$one_item" ]; }; then stop_sync differ; fi
    done
}

# existing PATH...: notes the numbers of the directories that exist.
existing() {
    for one_item in "$@"; do
        [ ! -d "$one_item" ] || [ -L "$one_item" ] || dirs_existing="$dirs_existing $item_number"
        item_number=$((item_number+1))
    done
}

# devices DIRECTORY...: checks whether one is on another file system than the unpacked archive.
devices() {
    sync_tokens=
    for one_item in $(stat @DEVICE@ "$sync_stage" "$@" 2>/dev/null); do
        [ "${sync_tokens:=$one_item}" = "$one_item" ] || is_apart=1
    done
}

# move_into DIRECTORY NAME...: moves by a rename, after a copy next to the destination if that is on another file
# system.
move_into() {
    put_into=$1
    shift
    if [ -z "$is_apart" ]; then
        mv -f "$@" "$sync_root/$put_into/" || fail_sync "put $put_into"
        return
    fi
    for one_item in "$@"; do
        rm -rf "$sync_root/$put_into/.rdo-sync-copy" || fail_sync "put $put_into"
        mv -f "$one_item" "$sync_root/$put_into/.rdo-sync-copy" || fail_sync "put $put_into"
        mv -f "$sync_root/$put_into/.rdo-sync-copy" "$sync_root/$put_into/$one_item" || fail_sync "put $put_into"
    done
}

# into DIRECTORY NAME...: moves files there. Those that arrived within a new directory are no longer here.
into() {
    [ -d "$sync_stage/f/$1" ] || return 0
    [ -d "$sync_root/$1" ] || mkdir -p "$sync_root/$1" || fail_sync "put $1"
    cd "$sync_stage/f/$1" || fail_sync "put $1"
    move_into "$@"
    cd "$sync_root" || exit
}

# into_new DIRECTORY NAME...: does the same for directories, unless they exist.
into_new() {
    [ -d "$sync_stage/f/$1" ] || return 0
    [ -d "$sync_root/$1" ] || mkdir -p "$sync_root/$1" || fail_sync "put $1"
    cd "$sync_stage/f/$1" || fail_sync "put $1"
    put_into=$1
    shift
    for one_item in "$@"; do
        shift
        [ -d "$sync_root/$put_into/$one_item" ] || set -- "$@" "$one_item"
    done
    [ $# -eq 0 ] || move_into "$put_into" "$@"
    cd "$sync_root" || exit
}

# clear PATH...: removes files, for what takes their place or for good.
clear() {
    rm -f "$@" || fail_sync remove
}

# leave PATH...: removes directories that are empty.
leave() {
    rmdir "$@" 2>/dev/null
    return 0
}

# make_way PATH...: removes directories, for what takes their place.
make_way() {
    for one_item in "$@"; do
        [ ! -d "$one_item" ] || rmdir "$one_item" || fail_sync remove
    done
}

# whole NAME MODE PATH: uses a large file that was sent before, in place of an empty one that has its time.
whole() {
    { touch -r "$sync_stage/f/$3" "$sync_state/parts/$1" && chmod "$2" "$sync_state/parts/$1"; } || fail_sync "put $3"
    mv -f "$sync_state/parts/$1" "$sync_stage/f/$3" || fail_sync "put $3"
}

# set_mode MODE PATH...
set_mode() {
    chmod "$@" || fail_sync mode
}

# record PATH...: prints what stat reports about the paths now, for the manifest and for the sender.
record() {
    sync_tokens=$(stat @STAT@ "$@") && echo "$sync_tokens" >&3 && echo "$sync_tokens"
}
