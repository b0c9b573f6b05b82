"""The shell text that rdo runs on a target: bootstrap and script. Pure. PROTOCOL.md, section 2, is the text.

POSIX sh only: it runs under dash, bash, busybox ash and the sh of the BSDs and macOS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

NO_STTY = "stty"
"""What stands in the ready line in place of the process id where the terminal cannot be set raw."""

READ = 'IFS= LC_ALL=C read -r rdo_s && eval "$rdo_s"'
READY = 'echo "{nonce} $$ ${{SHELL-}}"; ' + READ
READY_APART = READY.replace("; ", "; echo {nonce} >&2; ", 1)
"""With a marker on stderr of its own, after what a start-up file may have written there."""
READY_PTY = (
    f"if rdo_m=$(stty -g 2>/dev/null) && stty raw -echo 2>/dev/null; then {READY}; "
    f'else echo "{{nonce}} {NO_STTY}"; exit 255; fi'
)
"""On a terminal that is not raw, the script would be shown, cut at 4096 bytes, and its control characters acted on."""

PROVE = (
    "rdo_k='\033]rdo;{secret}' rdo_b='\007'; "
    'echo "{secret} $$ ${{YASH_VERSION+yash:${{LC_ALL:-${{LC_CTYPE:-${{LANG-}}}}}}}}"; ' + READ
)
"""Read before the script, with a secret that no argument list shows: by it the shell proves that it has the process id,
and begins its marks. By `echo`, which every shell has built in: what mksh, yash and posh call `printf` is a program.
"""

LIFELINE = (
    "rdo_g=; rdo_v=; "
    'n() { case $1 in ""|0*|1|*[!0-9]*|"$$") return 1;; esac; }; '
    'i() { rdo_p=; rdo_t=; x=; if [ -r "/proc/$1/stat" ]; '
    'then while IFS= read -r y; do x="$x$y"; done <"/proc/$1/stat"; set -- ${x##*") "}; rdo_p=$2; rdo_t=${20-}; '
    'else set -- $(ps -o ppid= -o lstart= -p "$1" 2>/dev/null); rdo_p=${1-}; rdo_t="${2-}${3-}${4-}${5-}${6-}"; fi; }; '
    'f() { x=; case "$rdo_v " in *" $1="*) x=${rdo_v##*" $1="}; x=${x%% *};; *) return 1;; esac; }; '
    'v() { n "$1" && n "$2" || return 1; i "$1" 2>/dev/null; '
    '[ "$1" = "$2" ] || [ "$rdo_p" = "$2" ] && rdo_v="$rdo_v $1=$rdo_t"; }; '
    'o() { f "$1" || return 1; z=$x; i "$1" 2>/dev/null; [ -z "$rdo_t" ] || [ "$rdo_t" = "$z" ]; }; '
    "c() { case $(command -v kill) in kill) ;; *) return 1;; esac; }; "
    'm() { for x in $(ps -A -o pid= -o pgid= 2>/dev/null | while read -r x y; do [ "$y" != "$1" ] || echo "$x"; done); '
    'do n "$x" && kill "-$2" "$x" 2>/dev/null && y=$1; done; [ "$y" = "$1" ]; }; '
    'k() { o "$1" || return 1; y=; if c; then kill "-$2" "-$1" 2>/dev/null; else m "$1" "$2"; fi || '
    """kill "-$2" "$1" 2>/dev/null || sudo -n /bin/sh -c 'case $(command -v kill) in kill) ;; *) exit 1;; esac; """
    """kill "-$0" "-$1"' "$2" "$1" 2>/dev/null; }; """
    "while read -r o p s q; do case $o in "
    'add) v "$p" "$s" && rdo_g="$rdo_g $p";; '
    'drop) m=; for q in $rdo_g; do [ "$q" = "$p" ] || m="$m $q"; done; rdo_g=$m; '
    'm=; for q in $rdo_v; do [ "${q%%=*}" = "$p" ] || m="$m $q"; done; rdo_v=$m;; '
    'know) v "$p" "$s";; '
    'kill) f "$p" || v "$p" "$q"; k "$p" "$s";; '
    "esac; done; "
    'a() { for p in $rdo_g; do k "$p" 0 && return; done; return 1; }; '
    "j=0; for p in $rdo_g; do k $p TERM; done; "
    "while a && [ $j -lt 20 ]; do sleep 0.1 2>/dev/null || { sleep 1; j=$((j+9)); }; j=$((j+1)); done; "
    "for p in $rdo_g; do k $p KILL; done"
)
"""Reads orders; at their end, ends every group still listed: TERM, and KILL for what is there 2 seconds later.

A group is signalled only if it was found to be that of a shell, which has proved that it is ours, or of a child of it;
and while its leader is there, only if that began when it began then: no other has got the number since. `/proc` says
so without a process, where there is one.

POSIX has no sleep of less than a second; most systems do. For a group, dash wants `--` behind `-s NAME`; busybox takes
that for a process, and fails after it has sent the signal. All understand `-NAME -GROUP`. But never the program kill:
that of procps 4.0 reads `-TERM -123` as -1, every process there is. So sudo is given a shell, for its builtin; where a
shell has none (posh), each process of the group is signalled by itself.
"""

WITHOUT_JOBS = "${KSH_VERSION-}${ZSH_VERSION-}${POSH_VERSION-}"
"""Not empty in shells that hand the terminal to no job where they are not interactive."""

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
DOLLAR_ONE, PATH_BY_ENV = '"$1"', 'env "PATH=$PATH" '
_MARK = 'echo "$rdo_k;{text}$rdo_b"'


class Script(NamedTuple):
    """What a session does on the target. Text, with `surrogateescape` for bytes that are not UTF-8."""

    command: Sequence[str]
    """The words to execute; none: the login shell."""
    directory: str = ""
    """Folder to run in, absolute or relative to the login directory; empty: the login directory."""
    lost: str = ""
    """The line for stderr if that directory cannot be entered."""
    environment: Mapping[str, str] = MappingProxyType({})
    path: Sequence[str] = ()
    """Folders to put before PATH."""
    sudo: str = ""
    """Whom sudo is to run it as: a name or a number, perhaps with `:` and a group behind it. Empty: no sudo."""
    has_input: bool = True
    """Whether stdin is what follows the script; else it is /dev/null. On a pty it is the terminal in any case."""
    keep: bool = False
    """Whether it goes on when the link is lost."""
    inside: str = ""
    """Value of RDO_ON_TARGET, by which an rdo that the command calls knows that this is its target; empty for none. A
    relative path counts from the login directory. Not set through sudo, which may keep no variable.
    """
    modes: Sequence[Sequence[str]] = ()
    """What stty is to set on a pty, once its own modes are restored: the words of each setting."""


def bootstrap(nonce: str, *, pty: bool, login: bool, plain: bool = False) -> str:
    """The command that every channel starts, for a login shell of any kind (sh, csh, fish).

    `plain`: for one that is known to do as /bin/sh does, which runs it without starting that, and is silent before, so
    that stderr needs no marker.
    """
    text = (READY_PTY if pty else READY if plain and not login else READY_APART).format(nonce=nonce)
    if not login:
        return text if plain else f"exec /bin/sh -c '{text}'"
    # csh takes -l only alone; it reads its start-up file without.
    inner = re.sub(r'(["$])', r"\\\1", "unset RDO_BOOT; " + text)
    return (
        f'exec /bin/sh -c \'RDO_BOOT="{inner}"; export RDO_BOOT; rdo_l=${{SHELL:-/bin/sh}}; rdo_o="-l -i"; '
        'case $rdo_l in *csh) rdo_o=-i;; esac; exec "$rdo_l" $rdo_o -c "exec /bin/sh -c \\"\\$RDO_BOOT\\""\''
    )


def is_plain(login_shell: str) -> bool:
    """Whether a login shell, by its path, does as /bin/sh does: with a command to run, it reads no start-up file.

    bash does, where sshd starts it, and what stands in .bashrc could change what our text means.
    """
    return login_shell.rpartition("/")[2] in ("sh", "dash", "ash")


def render(script: Script, *, nonce: str, pty: bool) -> bytes:
    """The script's one line, with its newline."""
    parts = _restore(script.modes) if pty else []
    parts += [*_inside(script), *_level(script), *_variables(script), *_enter(script)]
    if pty and script.command:
        hang_up = ["trap '' HUP"] if script.keep else []  # what a terminal sends when it goes
        parts += [*hang_up, _job(_prefix(script), nonce)]
    else:
        parts.append(f"exec {_prefix(script)}" + ("" if script.has_input or pty else " </dev/null"))
    text = "; ".join(parts)
    if '"$rdo_n"' in text:
        text = "rdo_n=$(printf '\\nx'); rdo_n=${rdo_n%x}; " + text
    return text.encode("utf-8", "surrogateescape") + b"\n"


def quote(word: str) -> str:
    """The word for a shell, on one line."""
    if _PLAIN.fullmatch(word):
        return word
    return "'" + word.replace("'", "'\\''").replace("\n", "'\"$rdo_n\"'") + "'"


def takes(shell: str, line: bytes) -> bool:
    """Whether a script reaches the shell as it is, by what that has said of itself with its proof.

    yash reads characters, and fails where bytes are none in its locale, which is what stands after the colon.
    """
    kind, _, locale = shell.partition(":")
    if kind != "yash" or line.isascii():
        return True
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return locale.lower().endswith(("utf-8", "utf8"))


def prove(secret: str) -> bytes:
    """What a shell that says it is ready is sent first. `secret`: of letters and digits."""
    return PROVE.format(secret=secret).encode() + b"\n"


def mark(secret: str, text: str) -> bytes:
    """A mark as it stands in the output of a pty, but for the end of the line."""
    return f"\033]rdo;{secret};{text}\007".encode()


def _restore(modes: Sequence[Sequence[str]]) -> list[str]:
    """Give the pty its modes back and then those of the caller's terminal, and say so: input that comes earlier is read
    by bash together with the script.

    stty sets nothing where it does not know a word, so then each setting is tried by itself.
    """
    failed = "rdo: cannot restore the modes of the terminal: `stty` fails on the target; use `rdo -T`"
    own = f'stty "$rdo_m" 2>/dev/null || {_fail(quote(failed))}'
    settings = [" ".join(map(quote, words)) for words in modes]
    if settings:
        apart = "; ".join((own, *(f"stty {words} 2>/dev/null" for words in settings)))
        own = f'stty "$rdo_m" {" ".join(settings)} 2>/dev/null || {{ {apart}; }}'
    return [own, _MARK.format(text="ready")]


def _inside(script: Script) -> list[str]:
    if not script.inside:
        return []
    base = "" if script.inside.startswith("/") else '"$PWD"/'
    return [f"export RDO_ON_TARGET={base}{quote(script.inside)}"]


def _level(script: Script) -> list[str]:
    """Commands are typed into a shell, and so is this one: bash would read .bashrc for each `bash -c`, even where a
    Makefile has it, if it found itself started by sshd and no shell between. (It takes one off for an `exec` itself.)
    """
    return ["export SHLVL=2"] if script.command else []


def _variables(script: Script) -> list[str]:
    """One export a variable: `$PATH` must be the one that was just set."""
    exports = [f"export {name}={quote(value)}" for name, value in script.environment.items()]
    if script.path:
        exports.append(f'export PATH={":".join(map(quote, script.path))}:"$PATH"')
    return exports


def _enter(script: Script) -> list[str]:
    """Change directory, and keep the command as the shell's arguments.

    Where sudo is to run the command, its user may enter what ours may not; then that one changes directory.
    """
    words = list(map(quote, script.command)) if script.command else ['"${SHELL:-/bin/sh}"', "-l"]
    kept = ["set -- " + " ".join(words)]
    if not script.directory:
        return kept
    directory = quote(script.directory if script.directory.startswith("/") else "./" + script.directory)
    if not script.sudo:
        return [*kept, f"cd {directory} 2>/dev/null || {_fail(quote(script.lost))}"]
    run = 'exec env -- "$@"' if words[0].startswith("-") else 'exec "$@"'
    again = quote(f'cd "$0" 2>/dev/null || {_fail(DOLLAR_ONE)}; shift; {run}')
    return [*kept, f'cd {directory} 2>/dev/null || set -- /bin/sh -c {again} {directory} {quote(script.lost)} "$@"']


def _fail(line: str) -> str:
    """`line`: a word for the shell."""
    return f"{{ printf '%s\\n' {line} >&2; exit 255; }}"


def _prefix(script: Script) -> str:
    """The kept command, and what stands before it: sudo, or env where the shell's exec would take it for an option.

    sudo is given the variables' names, so that no value shows in its arguments; PATH, no secret, goes by env.
    """
    if not script.sudo:
        return 'env -- "$@"' if "".join(script.command[:1]).startswith("-") else '"$@"'
    names = ",".join(script.environment)
    keep = f"--preserve-env={names} " if names else ""
    return f'sudo {_as(script.sudo)}{keep}-- {PATH_BY_ENV if script.path else ""}"$@"'


def _as(user: str) -> str:
    """sudo's options for a user, who is root without any. It has a number behind a `#`."""
    if user in ("", "0", "root"):
        return ""
    name, colon, group = (f"#{part}" if part.isdecimal() else part for part in user.partition(":"))
    return f"-u {quote(name)} " + (f"-g {quote(group)} " if colon else "")


def _job(words: str, nonce: str) -> str:
    """The command as a job, so that Ctrl-Z stops it and the shell notices; where the shell has no jobs, just as it is.

    A stopped job ends every loop in bash, so the wait is a function that calls itself. The shell's own messages about
    jobs go nowhere, but for bash: it has none here, and hands the terminal to a job through its own stderr. dash
    redirects its own stderr for as long as a command runs, so the job puts it back itself. What the job is has to be
    said without a program that gets the secret as its argument; so one says only whose child it is. The line that lets
    the job go on is read with echo off, from a terminal that the job may have left raw.
    """
    group = _MARK.format(text="group;$(exec /bin/sh -c 'echo $PPID')")
    stopped, ready = (_MARK.format(text=text) for text in ("stopped", "ready"))
    return (
        f'[ -n "{WITHOUT_JOBS}" ] || command set -m 2>/dev/null; case $- in *m*) ;; *) exec {words};; esac; '
        'exec 3>&2; [ -n "${BASH_VERSION-}" ] || exec 2>/dev/null; '
        "rdo_w() { rdo_r=$?; kill -0 %% 2>/dev/null || exit $rdo_r; rdo_m=$(stty -g); stty sane -echo; "
        f'{stopped}; while IFS= read -r rdo_x; do [ "$rdo_x" != {nonce} ] || break; done; '
        f'stty "$rdo_m"; {ready}; fg >/dev/null; rdo_w; }}; '
        f"({group}; exec 2>&3 3>&-; exec {words}); rdo_w"
    )
