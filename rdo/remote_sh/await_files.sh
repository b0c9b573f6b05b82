# shellcheck shell=sh
# Continues at once if rdo's record of the files that it has copied is the one that is known; otherwise reports that,
# and waits until they have been copied again. What the caller types meanwhile is left unread.
#
# On the wire: last_serial=rdo_c rdo_mark=rdo_k rdo_bell=rdo_b
# shellcheck disable=SC2154 # $rdo_mark and $rdo_bell are set by prove.sh
last_serial=
{ read -r last_serial <@STATE@/serial; } 2>/dev/null
[ "$last_serial" = @SERIAL@ ] || {
    echo "$rdo_mark;lost$rdo_bell"
    until [ -e @STATE@/go-@NONCE@ ]; do
        sleep 0.1 2>/dev/null || sleep 1
    done
    rm -f @STATE@/go-@NONCE@
}
