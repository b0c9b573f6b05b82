# shellcheck shell=sh
# Prints what this target supports, and what rdo has put into a directory. Creates the directory, and rdo's own files
# there. Lines of this script begin with `!`, which no line of a manifest does.
[ -z "${YASH_VERSION-}" ] || echo "!shell yash:${LC_ALL:-${LC_CTYPE:-${LANG-}}}"
export LC_ALL=C TZ=UTC0
command -v mkdir >/dev/null 2>&1 || {
    echo "!lacks mkdir"
    exit
}
cd @DIRECTORY@ 2>/dev/null || { mkdir -p @DIRECTORY@ && cd @DIRECTORY@; } || {
    echo "!fault directory"
    exit
}
sync_state=.rdo-sync/@IDENTITY@
if [ -L .rdo-sync ] || [ -L $sync_state ]; then
    echo "!fault link"
    exit
fi
[ -d $sync_state ] || { mkdir -p .rdo-sync && echo '*' >.rdo-sync/.gitignore && mkdir $sync_state; } || {
    echo "!fault state"
    exit
}
if [ -n "$(stat -c '%f %s %y %z %i' / 2>/dev/null)" ]; then
    echo "!stat gnu"
elif [ -n "$(stat -f '%Xp %z %Fm %Fc %i' / 2>/dev/null)" ]; then
    echo "!stat bsd"
fi
for one_item in sha256sum shasum openssl; do
    if command -v $one_item >/dev/null 2>&1; then
        echo "!hash $one_item"
        break
    fi
done
command -v tar >/dev/null 2>&1 && echo "!tar"
[ ! -e .RDO-SYNC ] || echo "!caseless"
for one_item in .rdo-sync/*/; do
    [ "$one_item" = "$sync_state/" ] || [ ! -d "$one_item" ] || echo "!others"
done
# Whether the directory is otherwise empty: then nothing can be lost.
only_ours=1
for one_item in * .[!.]* ..?*; do
    [ "$one_item" = .rdo-sync ] || { [ ! -e "$one_item" ] && [ ! -L "$one_item" ]; } || only_ours=
done
[ -z "$only_ours" ] || echo "!empty"
last_serial=
[ ! -r $sync_state/serial ] || read -r last_serial <$sync_state/serial
echo "!serial $last_serial"
echo "!manifest"
if [ -n "$last_serial" ] && [ "$last_serial" = "@KNOWN@" ]; then
    echo "!known"
elif [ -f $sync_state/manifest ]; then
    cat $sync_state/manifest
fi
for one_item in .rdo-sync/@IDENTITY@/*/pending; do
    if [ -f "$one_item" ]; then
        echo
        echo "!pending"
        cat "$one_item"
    fi
done
echo
echo "!end"
