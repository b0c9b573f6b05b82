# shellcheck shell=sh
# The end of a push: records in the manifest that it is complete. `intend` is a function that prints what was to be
# done, and `commit` one that records what was put.
# shellcheck disable=SC2154 # set by sync_push.sh and sync_apply.sh
cd "$sync_root" || exit
{
    echo >&3 && intend >&3 && echo "h@TAB@$dirs_existing" >&3 && commit && echo "E@TAB@@SERIAL@" >&3
} 3>>"$sync_state/manifest" || fail_sync record
echo "@SERIAL@" >"$sync_state/serial" || fail_sync record
echo "h@TAB@$dirs_existing"
is_last=@IS_LAST@
if [ -n "$is_last" ]; then
    rm -rf "$sync_state"/stage-* "$sync_state/parts" "$sync_lock"
else
    rm -rf "$sync_state"/stage-* "$sync_lock"
fi
[ -z "$is_apart" ] || echo "apart@TAB@"
echo "!complete"
