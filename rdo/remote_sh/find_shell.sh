# shellcheck shell=sh
# Prints what /bin/sh is; not everywhere does readlink know -f.
readlink -f /bin/sh 2>/dev/null || command -v sh || echo /bin/sh
