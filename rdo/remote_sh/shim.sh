#!/bin/sh
@MARK@
mark='@MARK@'
name=@NAME@
project=@PROJECT@
rdo=@RDO@

is_shim() {
    [ -r "$1" ] && { read -r second && read -r second; } <"$1" 2>/dev/null && [ "$second" = "$mark" ]
}

run_next() {
    rest=$PATH:
    while [ -n "$rest" ]; do
        file=${rest%%:*}
        file=${file:-.}/$name
        rest=${rest#*:}
        if [ -f "$file" ] && [ -x "$file" ] && ! is_shim "$file"; then exec "$file" "$@"; fi
    done
    PATH=/usr/bin:/bin # where printf is, if this shell has none built in
    printf 'rdo: `%s` is not installed here: PATH has only shims of that name\n' "$name" >&2
    exit 127
}

case ":${RDO_INSIDE-}:" in *":$project:"*) run_next "$@" ;; esac
[ -x "$rdo" ] || rdo=$(command -v rdo) || rdo=
[ -z "$rdo" ] || exec "$rdo" --project "$project" @OPTIONS@ "$name" "$@"
[ -e "$project" ] || run_next "$@" # a target, which sees this file by another path
PATH=/usr/bin:/bin
printf 'rdo: cannot find `rdo`: it is neither where it was nor in PATH; install it, or `rm` the shim `%s`\n' "$0" >&2
exit 255
