# shellcheck shell=sh
# Sends one file.
cd @DIRECTORY@ || exit
[ ! -L @PATH@ ] && [ -f @PATH@ ] && cat @PATH@
