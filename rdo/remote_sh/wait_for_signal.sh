# shellcheck shell=sh
# Says that it waits, and ends by itself if no signal comes.
echo ready
exec sleep @SECONDS@
