# shellcheck shell=sh
# Connects to a server, and passes bytes both ways: for drivers that have nothing of their own for that. How that goes is
# said in rdo/drivers/docker/stream_program.py. The end is said on stderr: NONCE and a digit. python3 and perl come first: they pass on
# the end of either side alone, and try all addresses of a name.
rdo_has() { command -v "$1" >/dev/null 2>&1; }
rdo_both() { case $rdo_host in localhost) "$@" 127.0.0.1 2>/dev/null || "$@" ::1;; *) "$@" "$rdo_host";; esac; }
rdo_socat() { case $1 in *:*) set -- "[$1]";; esac; socat -t 86400 - "TCP:$1:@PORT@,nodelay"; }
rdo_nc() { nc ${rdo_n:+"$rdo_n"} "$1" @PORT@; }
rdo_bash() { bash -c 'exec 3<>"/dev/tcp/$0/$1" || exit 1; cat <&0 >&3 & exec cat <&3' "$1" @PORT@; }
rdo_path=@PATH@ rdo_host=@HOST@
if rdo_has python3; then
    exec python3 -IS -c @PYTHON@ @PATH@ @HOST@ @PORT@ @NONCE@
elif rdo_has perl; then
    exec perl -e @PERL@ @PATH@ @HOST@ @PORT@ @NONCE@
fi
if rdo_has socat; then
    printf R
    if [ "$rdo_path" ]; then
        socat -t 86400 - "UNIX-CONNECT:$rdo_path"
    else
        rdo_both rdo_socat
    fi
elif rdo_has nc; then
    printf R
    rdo_n=
    case $(nc -h 2>&1) in *-N*) rdo_n=-N;; esac
    if [ "$rdo_path" ]; then
        nc ${rdo_n:+"$rdo_n"} -U "$rdo_path"
    else
        rdo_both rdo_nc
    fi
elif rdo_has bash && [ -z "$rdo_path" ]; then
    printf R
    rdo_both rdo_bash
else
    printf %s2 @NONCE@ >&2
    exit
fi
case $? in 0) printf %s0 @NONCE@ >&2;; *) printf %s1 @NONCE@ >&2;; esac
exec cat >/dev/null
