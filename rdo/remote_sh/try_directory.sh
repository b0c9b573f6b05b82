# shellcheck shell=sh
# Enters the directory, or leaves that to the user of sudo: then the command, which the shell's arguments are, becomes
# one of enter_by_sudo.sh.
cd @DIRECTORY@ 2>/dev/null || set -- /bin/sh -c @ENTER@ @DIRECTORY@ @LOST@ "$@"
