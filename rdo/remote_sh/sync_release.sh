# shellcheck shell=sh
# Lets a command go on that waits: see await_files.sh.
: >@STATE@/go-@NONCE@ && echo "!done"
