# shellcheck shell=sh
# Prints the directory in which a login begins.
printf "%s\n" "$HOME"
