# shellcheck shell=sh
# Receives a push. An archive follows, which contains the files and the script for them: see sync_apply.sh.
# shellcheck disable=SC2154 # set by sync_lock.sh
@TAKE_LOCK@
# Without -C, since GNU tar interprets `\t` in a directory's name as a tab. It reads 10 KiB at a time unless told
# otherwise, and sshd then has to run for each block. Only GNU tar uses the variable, and what the user has set in it
# must not affect this archive.
{ cd "$sync_state" && TAR_OPTIONS=--blocking-factor=128 tar -xpof -; } || {
    rm -rf "$sync_stage" "$sync_lock"
    echo "!fault unpack"
    exit
}
cd "$sync_root" || exit
[ -f "$sync_stage/ready" ] || {
    rm -rf "$sync_stage" "$sync_lock"
    exit
}
# shellcheck disable=SC1091 # comes with the archive
. "$sync_stage/job"
