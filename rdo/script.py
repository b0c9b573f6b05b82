"""The shell text that rdo runs on a target: bootstrap and script. Pure. PROTOCOL.md, section 2, is the text.

POSIX sh only: it runs under dash, bash, busybox ash and the sh of the BSDs and macOS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

READY = 'echo "{nonce} $$ ${{SHELL-}}"; IFS= LC_ALL=C read -r rdo_s && eval "$rdo_s"'
READY_APART = READY.replace("; ", "; echo {nonce} >&2; ", 1)
"""With a marker on stderr of its own, behind what a start-up file may have written there."""
READY_PTY = "rdo_m=$(stty -g 2>/dev/null); stty raw -echo 2>/dev/null; " + READY

LIFELINE = (
    "rdo_g=; "
    'k() { kill "-$2" "-$1" 2>/dev/null || kill "-$2" "$1" 2>/dev/null || '
    """sudo -n /bin/sh -c 'kill "-$0" "-$1"' "$2" "$1" 2>/dev/null; }; """
    "while read -r o p s; do case $o in "
    'add) rdo_g="$rdo_g $p";; '
    'drop) n=; for q in $rdo_g; do [ "$q" = "$p" ] || n="$n $q"; done; rdo_g=$n;; '
    'kill) k "$p" "$s";; '
    "esac; done; "
    'a() { for p in $rdo_g; do k "$p" 0 && return; done; return 1; }; '
    "i=0; for p in $rdo_g; do k $p TERM; done; "
    "while a && [ $i -lt 20 ]; do sleep 0.1 2>/dev/null || { sleep 1; i=$((i+9)); }; i=$((i+1)); done; "
    "for p in $rdo_g; do k $p KILL; done"
)
"""Reads orders; at their end, ends every group still listed: TERM, and KILL for what is there 2 seconds later.

POSIX has no sleep of less than a second; most systems do. For a group, dash wants `--` behind `-s NAME`; busybox takes
that for a process, and fails after it has sent the signal. All understand `-NAME -GROUP`. But never the program kill:
that of procps 4.0 reads `-TERM -123` as -1, every process there is. So sudo is given a shell, for its builtin.
"""

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_MARK = r"printf '\033]rdo;{nonce};{text}\007'"


class Script(NamedTuple):
    """What a session does on the target. Text, with `surrogateescape` for bytes that are not UTF-8."""

    command: Sequence[str]
    """The words to execute; none: the login shell."""
    directory: str = ""
    """Folder to run in, absolute or relative to the login folder; empty: the login folder."""
    lost: str = ""
    """The line for stderr if that folder cannot be entered."""
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
    relative path counts from the login folder. Not set through sudo, which may keep no variable.
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
        f"exec /bin/sh -c 'RDO_BOOT=\"{inner}\"; export RDO_BOOT; rdo_l=${{SHELL:-/bin/sh}}; rdo_o=\"-l -i\"; "
        'case $rdo_l in *csh) rdo_o=-i;; esac; exec "$rdo_l" $rdo_o -c "exec /bin/sh -c \\"\\$RDO_BOOT\\""\''
    )


def is_plain(login_shell: str) -> bool:
    """Whether a login shell, by its path, does as /bin/sh does: with a command to run, it reads no start-up file.

    bash does, where sshd starts it, and what stands in .bashrc could change what our text means.
    """
    return login_shell.rpartition("/")[2] in ("sh", "dash", "ash")


def render(script: Script, *, nonce: str, pty: bool) -> bytes:
    """The script's one line, with its newline."""
    parts = _restore(nonce, script.modes) if pty else []
    parts += [*_inside(script), *_enter(script), *_level(script), *_variables(script)]
    command = map(quote, script.command) if script.command else ['"${SHELL:-/bin/sh}"', "-l"]
    words = " ".join([*_prefix(script), *command])
    if pty and script.command:
        hang_up = ["trap '' HUP"] if script.keep else []  # what a terminal sends when it goes
        parts += [*hang_up, _job(words, nonce)]
    else:
        parts.append(f"exec {words}" if script.has_input or pty else f"exec {words} </dev/null")
    text = "; ".join(parts)
    if '"$rdo_n"' in text:
        text = "rdo_n=$(printf '\\nx'); rdo_n=${rdo_n%x}; " + text
    return text.encode("utf-8", "surrogateescape") + b"\n"


def quote(word: str) -> str:
    """The word for a shell, on one line."""
    if _PLAIN.fullmatch(word):
        return word
    return "'" + word.replace("'", "'\\''").replace("\n", "'\"$rdo_n\"'") + "'"


def mark(nonce: str, text: str) -> bytes:
    """A mark as it stands in the output of a pty."""
    return f"\033]rdo;{nonce};{text}\007".encode()


def _restore(nonce: str, modes: Sequence[Sequence[str]]) -> list[str]:
    """Give the pty its modes back and then those of the caller's terminal, and say so: input that comes earlier is read
    by bash together with the script.

    stty sets nothing where it does not know a word, so then each setting is tried by itself.
    """
    own = '"${rdo_m:-sane}"'
    settings = [" ".join(map(quote, words)) for words in modes]
    apart = "; ".join(f"stty {words}" for words in (own, *settings))
    stty = f"{{ stty {' '.join((own, *settings))} || {{ {apart}; }}; }}" if settings else f"stty {own}"
    return [f"{stty} 2>/dev/null", _MARK.format(nonce=nonce, text="ready")]


def _enter(script: Script) -> list[str]:
    if not script.directory:
        return []
    folder = script.directory if script.directory.startswith("/") else "./" + script.directory
    return [f"cd {quote(folder)} 2>/dev/null || {{ printf '%s\\n' {quote(script.lost)} >&2; exit 255; }}"]


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


def _prefix(script: Script) -> list[str]:
    """What stands before the command: sudo, or env where the shell's exec would take the command for an option.

    sudo is given the variables' names, so that no value shows in its arguments; PATH, no secret, goes by env.
    """
    if not script.sudo:
        return ["env", "--"] if "".join(script.command[:1]).startswith("-") else []
    names = ",".join(script.environment)
    keep = [f"--preserve-env={names}"] if names else []
    return ["sudo", *_as(script.sudo), *keep, "--", *(["env", '"PATH=$PATH"'] if script.path else [])]


def _as(user: str) -> list[str]:
    """sudo's options for a user, who is root without any. It has a number behind a `#`."""
    if user in ("", "0", "root"):
        return []
    name, colon, group = (f"#{part}" if part.isdecimal() else part for part in user.partition(":"))
    return [f"-u {quote(name)}", *([f"-g {quote(group)}"] if colon else [])]


def _job(words: str, nonce: str) -> str:
    """The command as a job, so that Ctrl-Z stops it and the shell notices.

    A stopped job ends every loop in bash, so the wait is a function that calls itself. The shell's own messages about
    jobs go nowhere, but for bash: it has none here, and hands the terminal to a job through its own stderr. dash
    redirects its own stderr for as long as a command runs, so the job puts it back itself. The line that lets it go
    on is read with echo off, from a terminal that the job may have left raw.
    """
    announce = quote(_MARK.format(nonce=nonce, text="group;%s") + ' "$$"; exec 2>&3 3>&-; exec "$@"')
    return (
        'set -m; exec 3>&2; [ -n "${BASH_VERSION-}" ] || exec 2>/dev/null; '
        "rdo_w() { rdo_r=$?; kill -0 %% 2>/dev/null || exit $rdo_r; rdo_m=$(stty -g); stty sane -echo; "
        f"{_MARK.format(nonce=nonce, text='stopped')}; "
        f'while IFS= read -r rdo_x; do [ "$rdo_x" != {nonce} ] || break; done; '
        f'stty "$rdo_m"; {_MARK.format(nonce=nonce, text="ready")}; fg >/dev/null; rdo_w; }}; '
        f"/bin/sh -c {announce} sh {words}; rdo_w"
    )
