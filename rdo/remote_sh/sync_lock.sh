# shellcheck shell=sh
# Goes where a push is to go, one at a time, and only on if the last one there is the one that the sender knows.
export LC_ALL=C TZ=UTC0
cd @DIRECTORY@ 2>/dev/null || {
    echo "!stale"
    exit
}
# shellcheck disable=SC2034 # used by the job
sync_root=$PWD
sync_state=$PWD/.rdo-sync/@IDENTITY@
# shellcheck disable=SC2034
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
        echo "!locked $lock_owner"
        exit
    }
    # On a disk that is full, nobody can write who it is.
    { echo $$ >"$sync_lock.try" && rm -f "$sync_lock.try"; } || {
        rm -f "$sync_lock.try" "$sync_lock"
        echo "!fault lock"
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
