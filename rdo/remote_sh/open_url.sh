# shellcheck shell=sh
# Stands in for BROWSER, xdg-open and the like on the target, in a directory created by browser.sh: passes a URL to rdo,
# which opens it where the command was typed, and waits for the answer. For anything else it runs the next program of
# its name in PATH. The exit statuses are those of xdg-open: 4 is a failure.
#
# RDO_BROWSER is the token by which rdo recognises the command. $browser_holder is the process id of browser.sh.
# shellcheck disable=SC2154 # set by browser.sh
[ "${RDO_BROWSER-}" != test ] || exit 0
own_directory=${0%/*}
own_name=${0##*/}
url_newline=$(printf '\nx')
found_url=
for one_word in "$@"; do
    case $one_word in
    *"${url_newline%x}"*) ;;
    [Hh][Tt][Tt][Pp]://?*|[Hh][Tt][Tt][Pp][Ss]://?*) found_url=$one_word ;;
    esac
done
if [ -z "$found_url" ] || [ -z "${RDO_BROWSER-}" ]; then
    set -f
    IFS=:
    for one_word in $PATH; do
        [ "$one_word" = "$own_directory" ] || [ ! -f "$one_word/$own_name" ] || [ ! -x "$one_word/$own_name" ] || {
            unset IFS
            exec "$one_word/$own_name" "$@"
        }
    done
    echo "$own_name: rdo opens only URLs of http and https, and only for its own commands" >&2
    exit 4
fi
umask 077
own_directory=${own_directory%/*}
rm -f "$own_directory/answer.$$"
mkfifo "$own_directory/answer.$$" 2>/dev/null || exit 4
exec 3<>"$own_directory/answer.$$"
# Not earlier: at its end, browser.sh removes `urls` before it answers all who wait. The URL is in a file of its own,
# since only short lines from several writers are never mixed in a fifo.
[ -p "$own_directory/urls" ] && kill -0 "$browser_holder" 2>/dev/null &&
    printf '%s %s\n' "$RDO_BROWSER" "$found_url" >"$own_directory/url.$$" &&
    echo $$ 1<>"$own_directory/urls" &&
    read -r url_status <&3
rm -f "$own_directory/answer.$$"
exit "${url_status:-4}"
