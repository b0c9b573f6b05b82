# shellcheck shell=sh
# Enters the directory of a push, locks it against other pushes, and continues only if the last push there is the one
# that the sender knows.
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

# A lock whose owner has ended, or was unable to record itself, was left by a lost connection.
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
    # On a full disk, no owner can be recorded.
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
