# shellcheck shell=sh
# Enters the directory, or leaves that to the user of sudo: then the command, which is in the shell's arguments, is
# wrapped in enter_by_sudo.sh.
cd @DIRECTORY@ 2>/dev/null || set -- /bin/sh -c @ENTER@ @DIRECTORY@ @LOST@ "$@"
