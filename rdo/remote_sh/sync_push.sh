# shellcheck shell=sh
# Takes a push: one at a time, and only if the last one there is the one that the sender knows. An archive follows, of
# what is to be put and of what is to be done with it: see sync_apply.sh.
export LC_ALL=C TZ=UTC0
cd @DIRECTORY@ 2>/dev/null || {
    echo "!stale"
    exit
}
# shellcheck disable=SC2034 # used by the job
sync_root=$PWD
sync_state=$PWD/.rdo-sync/@IDENTITY@
sync_stage=$sync_state/@STAGE@
sync_lock=$PWD/.rdo-sync/lock
if [ -L .rdo-sync ] || [ -L "$sync_state" ] || [ ! -d "$sync_state" ]; then
    echo "!stale"
    exit
fi

# A lock whose owner has ended, or did not get to write who it is, was left by a connection that was lost.
times_tried=0
while ! { set -C; echo $$ >"$sync_lock"; } 2>/dev/null; do
    set +C
    lock_owner=
    [ ! -r "$sync_lock" ] || read -r lock_owner <"$sync_lock"
    case $lock_owner in
    "") [ $times_tried -eq 0 ] || rm -f "$sync_lock" ;;
    *) kill -0 "$lock_owner" 2>/dev/null || [ -d "/proc/$lock_owner" ] || rm -f "$sync_lock" ;;
    esac
    [ ! -e "$sync_lock" ] || sleep 1
    times_tried=$((times_tried+1))
    [ $times_tried -lt 10 ] || {
        [ -n "$lock_owner" ] || echo $$ >"$sync_lock"
        echo "!locked $lock_owner"
        exit
    }
done
set +C

last_serial=
[ ! -r "$sync_state/serial" ] || read -r last_serial <"$sync_state/serial"
[ "$last_serial" = "@SERIAL@" ] || {
    rm -f "$sync_lock"
    echo "!stale"
    exit
}
tar -xpof - -C "$sync_state" || {
    rm -rf "$sync_stage" "$sync_lock"
    echo "!fault unpack"
    exit
}
[ -f "$sync_stage/ready" ] || {
    rm -rf "$sync_stage" "$sync_lock"
    exit
}
# shellcheck disable=SC1091 # comes with the archive
. "$sync_stage/job"
