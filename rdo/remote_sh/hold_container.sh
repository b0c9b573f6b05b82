# shellcheck shell=sh
# Holds a container as long as its stdin is open, and for the time that its lifeline needs.
while read -r _; do
    :
done
exec sleep 3
