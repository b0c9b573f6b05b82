# shellcheck shell=sh
# Replaces the manifest by a shorter one with the same contents.
# shellcheck disable=SC2154 # set by sync_push.sh
mv -f "$sync_stage/manifest" "$sync_state/manifest" || fail_sync record
