"""Renders a script as shell text. Pure, except for the text it loads."""

from __future__ import annotations

from collections.abc import Sequence

from rdo.fscodec import fsencode
from rdo.remote_sh.script import Script
from rdo.remote_sh.template import NEWLINE, fill, load, quote

LIFELINE = load("lifeline", KILL_GROUP=quote(load("kill_group")))
"""The script that the lifeline runs."""

DOLLAR_AT = '"$@"'
PATH_BY_ENV = 'env "PATH=$PATH" '

_NEWLINE = load("newline")
_RESTORE_MODES, _SET_MODES = load("restore_modes"), load("set_modes")
_ENTER_DIRECTORY = load("enter_directory")
_TRY_DIRECTORY, _ENTER_BY_SUDO = load("try_directory"), load("enter_by_sudo")
_JOB, _AWAIT_FILES = load("job"), load("await_files")

MODES_LOST = "rdo: cannot restore the modes of the terminal: `stty` fails on the target; use `rdo -T`"


def render(script: Script, *, nonce: str, pty: bool) -> bytes:
    """The script as a single line, with its newline."""
    if script.text:
        return _line(script.text)
    parts = [_restore(script.modes)] if pty else []
    parts += [*_await_files(script, nonce), *_inside(script), *_level(script), *_variables(script), *_enter(script)]
    if pty and script.command:
        hang_up = ["trap '' HUP"] if script.keep else []  # the signal that a closing terminal sends
        parts += [*hang_up, fill(_JOB, COMMAND=_prefix(script), NONCE=nonce)]
    else:
        parts.append(f"exec {_prefix(script)}" + ("" if script.has_input or pty else " </dev/null"))
    return _line("; ".join(parts))


def _line(text: str) -> bytes:
    if NEWLINE in text:
        text = f"{_NEWLINE}; {text}"
    return fsencode(text) + b"\n"


def _restore(modes: Sequence[Sequence[str]]) -> str:
    """Restore the modes of the pty, then set those of the caller's terminal, and report that."""
    settings = [" ".join(map(quote, words)) for words in modes]
    if not settings:
        return fill(_RESTORE_MODES, FAILED=quote(MODES_LOST))
    apart = "; ".join(f"stty {words} 2>/dev/null" for words in settings)
    return fill(_SET_MODES, FAILED=quote(MODES_LOST), SETTINGS=" ".join(settings), EACH_BY_ITSELF=apart)


def _await_files(script: Script, nonce: str) -> list[str]:
    if script.copied is None:
        return []
    return [fill(_AWAIT_FILES, STATE=quote(script.copied.state), SERIAL=script.copied.serial, NONCE=nonce)]


def _inside(script: Script) -> list[str]:
    if not script.inside:
        return []
    base = "" if script.inside.startswith("/") else '"$PWD"/'
    return [f"export RDO_ON_TARGET={base}{quote(script.inside)}"]


def _level(script: Script) -> list[str]:
    """Users type commands into a shell, and so should this one appear to be. If bash finds itself started by sshd with
    no shell in between, it reads .bashrc for each `bash -c`, even in a Makefile. (For an `exec`, bash itself decrements
    the level.)"""
    return ["export SHLVL=2"] if script.command else []


def _variables(script: Script) -> list[str]:
    """One export per variable, since `$PATH` in a value must be the one that was just set."""
    exports = [f"export {name}={quote(value)}" for name, value in script.environment.items()]
    if script.path:
        exports.append(f'export PATH={":".join(map(quote, script.path))}:"$PATH"')
    return exports


def _enter(script: Script) -> list[str]:
    """Change directory, and keep the command as the shell's arguments.

    If sudo runs the command, its user may be able to enter a directory that ours cannot. In that case, that user
    changes directory.
    """
    words = list(map(quote, script.command)) if script.command else ['"${SHELL:-/bin/sh}"', "-l"]
    kept = ["set -- " + " ".join(words)]
    if not script.directory:
        return kept
    directory = quote(script.directory if script.directory.startswith("/") else "./" + script.directory)
    if not script.sudo:
        return [*kept, fill(_ENTER_DIRECTORY, DIRECTORY=directory)]
    run = "exec env -- " if words[0].startswith("-") else "exec "
    enter = quote(fill(_ENTER_BY_SUDO, RUN=run + DOLLAR_AT))
    return [*kept, fill(_TRY_DIRECTORY, DIRECTORY=directory, LOST=quote(script.lost), ENTER=enter)]


def _prefix(script: Script) -> str:
    """The kept command and what precedes it: sudo, or env if the shell's exec would take the command for an option.

    sudo gets only the names of variables, so that no value appears in its arguments. PATH, which is no secret, is
    passed by env.
    """
    if not script.sudo:
        return 'env -- "$@"' if "".join(script.command[:1]).startswith("-") else '"$@"'
    names = ",".join(script.environment)
    keep = f"--preserve-env={names} " if names else ""
    return f'sudo {_as(script.sudo)}{keep}-- {PATH_BY_ENV if script.path else ""}"$@"'


def _as(user: str) -> str:
    """sudo's options for the user; root if empty. A number follows a `#`."""
    if user in ("", "0", "root"):
        return ""
    name, colon, group = (f"#{part}" if part.isdecimal() else part for part in user.partition(":"))
    return f"-u {quote(name)} " + (f"-g {quote(group)} " if colon else "")
