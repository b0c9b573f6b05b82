# shellcheck shell=sh
# Connects to a server, and relays bytes in both directions, for drivers without a feature for that.
# rdo/drivers/docker/stream_script.py describes the protocol. The end is reported on stderr: NONCE and a digit. python3
# and perl come first, since they pass on the end of each direction separately, and try all addresses of a name. socat
# would wait for the end of both directions; it waits 2 s after that of one. nc does so, too, and comes last; if
# possible, it only connects, and cat relays the bytes, as with bash: from the client through descriptor 5, and to it
# through 6.
rdo_has() { command -v "$1" >/dev/null 2>&1; }
# Many containers have no ::1, so why that is unreachable is of no interest.
rdo_both() { case $rdo_host in localhost) "$@" ::1 2>/dev/null || "$@" 127.0.0.1;; *) "$@" "$rdo_host";; esac; }
rdo_socat() { case $1 in *:*) set -- "[$1]";; esac; socat -t 2 - "TCP:$1:@PORT@,nodelay"; }
rdo_nc() { nc ${rdo_n:+"$rdo_n"} "$1" @PORT@; }
rdo_nc_e() { nc "$1" @PORT@ -e sh -c "exec 3<&0; $rdo_pass"; }
rdo_bash() { bash -c 'exec 3<>"/dev/tcp/$0/$1" || exit 1; exec >&3; eval "$2"' "$1" @PORT@ "$rdo_pass"; }
# To a server at descriptor 3 and stdout, which cannot be notified of the end of input: it gets some time to finish. The
# process that waits meanwhile prints nothing, so that nothing follows the last message, not even an error about a
# missing `sleep`.
rdo_pass='cat <&3 >&6 & d=$!; { cat <&5; sleep 2; kill $d; } 2>/dev/null & wait $d; kill $! 2>/dev/null; exit 0'
rdo_path=@PATH@ rdo_host=@HOST@
if rdo_has python3; then
    exec python3 -IS -c @PYTHON@ @PATH@ @HOST@ @PORT@ @NONCE@
elif rdo_has perl; then
    exec perl -e @PERL@ @PATH@ @HOST@ @PORT@ @NONCE@
fi
exec 5<&0 6>&1
if rdo_has socat; then
    printf R
    if [ "$rdo_path" ]; then
        socat -t 2 - "UNIX-CONNECT:$rdo_path"
    else
        rdo_both rdo_socat
    fi
elif rdo_has bash && [ -z "$rdo_path" ]; then
    printf R
    rdo_both rdo_bash
elif rdo_has nc; then
    printf R
    rdo_n="" rdo_help=$(nc -h 2>&1)
    case $rdo_help in *-N*) rdo_n=-N;; esac
    if [ "$rdo_path" ]; then
        nc ${rdo_n:+"$rdo_n"} -U "$rdo_path"
    else
        case $rdo_help in *"-e PROG"*) rdo_both rdo_nc_e;; *) rdo_both rdo_nc;; esac
    fi
else
    printf %s2 @NONCE@ >&2
    exit
fi
case $? in 0) printf %s0 @NONCE@ >&2;; *) printf %s1 @NONCE@ >&2;; esac
exec cat >/dev/null
