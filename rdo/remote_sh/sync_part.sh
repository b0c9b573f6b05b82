# shellcheck shell=sh
# Receives a large file, which a later push moves into place. What has arrived is kept if the connection is lost.
# shellcheck disable=SC2154 # set by sync_lock.sh
@TAKE_LOCK@
sync_part=$sync_state/parts/@PART@
{ mkdir -p "$sync_state/parts" && : >>"$sync_part"; } || {
    rm -f "$sync_lock"
    echo "!fault part"
    exit
}
echo "!size $(wc -c <"$sync_part")"
[ ! -s "$sync_part" ] || @HASH@ <"$sync_part"
echo "!go"
read -r one_line || exit
[ "$one_line" != again ] || : >"$sync_part"
cat >>"$sync_part" || {
    rm -f "$sync_part" "$sync_lock"
    echo "!fault part"
    exit
}
echo "!size $(wc -c <"$sync_part")"
rm -f "$sync_lock"
