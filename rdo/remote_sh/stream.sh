# shellcheck shell=sh
# Connects to a server, and passes bytes both ways: for drivers that have nothing of their own for that. How that goes is
# said in rdo/drivers/docker/stream_script.py. The end is said on stderr: NONCE and a digit. python3 and perl come first: they pass on
# the end of either side alone, and try all addresses of a name. socat would wait for the end of both; it waits 2 s after
# that of one. nc does, so it comes last; where it can, it only connects, and cat passes the bytes on, as with bash: from
# the client by 5, and to it by 6.
rdo_has() { command -v "$1" >/dev/null 2>&1; }
# Many a container has no ::1, so that why it cannot be reached says nothing.
rdo_both() { case $rdo_host in localhost) "$@" ::1 2>/dev/null || "$@" 127.0.0.1;; *) "$@" "$rdo_host";; esac; }
rdo_socat() { case $1 in *:*) set -- "[$1]";; esac; socat -t 2 - "TCP:$1:@PORT@,nodelay"; }
rdo_nc() { nc ${rdo_n:+"$rdo_n"} "$1" @PORT@; }
rdo_nc_e() { nc "$1" @PORT@ -e sh -c "exec 3<&0; $rdo_pass"; }
rdo_bash() { bash -c 'exec 3<>"/dev/tcp/$0/$1" || exit 1; exec >&3; eval "$2"' "$1" @PORT@ "$rdo_pass"; }
# To a server at 3 and at stdout, which cannot be told that no more comes: it has a while for what it still has to say.
# Who waits that while says nothing, and so nothing after the last words, not even that there is no `sleep`.
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
