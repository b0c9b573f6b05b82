# shellcheck shell=sh
# Keeps a container running as long as its stdin is open, plus the time that its lifeline needs.
while read -r _; do
    :
done
exec sleep 3
