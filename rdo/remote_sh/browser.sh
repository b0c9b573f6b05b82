# shellcheck shell=sh
# Creates a directory of programs that pass URLs to rdo (open_url.sh), prints its path, or an empty line if that fails,
# and keeps it until the end of stdin. For each URL, it prints the id of the process that waits, the token of its
# command and the URL, and an empty line. A line of stdin is that process id and an exit status.
umask 077
browser_top=
is_over=
answer_reader=
# Ends the wait below, even if the signal arrives just before it. A process that was just forked may still have this
# trap, and so lose any signal but KILL.
trap 'is_over=1; [ -z "$answer_reader" ] || kill -9 "$answer_reader" 2>/dev/null' HUP INT TERM
# dash reports on stderr, perhaps to nobody, if a child is killed by a signal.
trap '' PIPE

# Only if the path is safe in PATH and BROWSER, and if programs there can be executed.
make_programs() {
    case $1 in
    *[!A-Za-z0-9/._-]*) return 1 ;;
    /*) ;;
    *) return 1 ;;
    esac
    browser_top=$(mktemp -d "$1/rdo-XXXXXXXXXX" 2>/dev/null) || return 1
    mkfifo "$browser_top/urls" &&
        mkdir "$browser_top/bin" &&
        printf '%s\n' '#!/bin/sh' "browser_holder=$$" @PROGRAM@ >"$browser_top/bin/browser" &&
        chmod 700 "$browser_top/bin/browser" &&
        ln -s browser "$browser_top/bin/xdg-open" &&
        ln -s browser "$browser_top/bin/open" &&
        ln -s browser "$browser_top/bin/sensible-browser" &&
        ln -s browser "$browser_top/bin/www-browser" &&
        RDO_BROWSER="test" "$browser_top/bin/browser"
}

for one_place in "${TMPDIR:-/tmp}" /tmp "${XDG_RUNTIME_DIR-}" "${HOME-}/.cache"; do
    make_programs "$one_place" 2>/dev/null && break
    [ -z "$browser_top" ] || rm -rf "$browser_top"
    browser_top=
done
[ -n "$browser_top" ] || {
    echo
    exit 1
}

# Programs that still wait get an answer, and later ones find nobody to ask.
end_programs() {
    rm -f "$browser_top/urls"
    for one_place in "$browser_top"/answer.*; do
        [ ! -p "$one_place" ] || echo 4 1<>"$one_place"
    done
    # Twice, since a program that came last may be writing a file meanwhile.
    rm -rf "$browser_top" 2>/dev/null || rm -rf "$browser_top"
}

# Only this process has the fifo open for writing: if it is killed, the reader finds the end of file, and cleans up.
# `exec` closes it for the other processes, since mksh and posh keep open what a loop's own `3<&-` closes.
exec 3<>"$browser_top/urls"
exec 4<&0 5<"$browser_top/urls"
# Not earlier, since what is written to a fifo that nobody has open is lost.
echo "$browser_top"
{
    exec 3<&-
    while IFS= read -r waiting_process; do
        case $waiting_process in
        ""|*[!0-9]*) continue ;;
        esac
        [ ! -f "$browser_top/url.$waiting_process" ] || {
            printf '%s ' "$waiting_process"
            cat "$browser_top/url.$waiting_process"
            echo
            rm -f "$browser_top/url.$waiting_process"
        }
    done
    end_programs
} <&5 &
url_reader=$!

{
    exec 3<&-
    while read -r waiting_process url_status; do
        [ ! -p "$browser_top/answer.$waiting_process" ] || echo "$url_status" 1<>"$browser_top/answer.$waiting_process"
    done
} <&4 &
answer_reader=$!

# A signal ends `wait` in every shell, but not `read`. More than one may arrive.
[ -n "$is_over" ] || wait "$answer_reader"
trap '' HUP INT TERM
kill -9 "$url_reader" "$answer_reader" 2>/dev/null
end_programs
