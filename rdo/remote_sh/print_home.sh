# shellcheck shell=sh
# Prints the directory in which a login starts.
printf "%s\n" "$HOME"
