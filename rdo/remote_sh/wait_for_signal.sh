# shellcheck shell=sh
# Reports that it waits, and exits by itself if no signal arrives.
echo ready
exec sleep @SECONDS@
