# shellcheck shell=sh
# Takes a push. An archive follows, of what is to be put and of what is to be done with it: see sync_apply.sh.
# shellcheck disable=SC2154 # set by sync_lock.sh
@TAKE_LOCK@
# Not by -C: GNU tar takes `\t` in a directory's name for a tab. It reads 10 KiB at a time unless it is told otherwise,
# and sshd then runs for each. Only GNU tar knows the variable, and what the user has set in it is not for this archive.
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
