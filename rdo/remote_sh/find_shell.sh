# shellcheck shell=sh
# Prints what /bin/sh is. Not every readlink has -f.
readlink -f /bin/sh 2>/dev/null || command -v sh || echo /bin/sh
