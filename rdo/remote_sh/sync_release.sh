# shellcheck shell=sh
# Lets a waiting command continue: see await_files.sh.
: >@STATE@/go-@NONCE@ && echo "!done"
