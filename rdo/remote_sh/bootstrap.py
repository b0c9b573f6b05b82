"""Starts a shell on the target, up to the point where it waits for its script. Pure, except for the text it loads."""

from __future__ import annotations

import re

from rdo.remote_sh.template import fill, load

NO_STTY = "stty"
"""Replaces the process ID in the ready line if the terminal cannot be set to raw mode."""

START = "exec /bin/sh -c '"

_READ = load("read_script")
_APART = load("bootstrap", READ_SCRIPT=_READ)
_PTY = load("bootstrap_pty", READ_SCRIPT=_READ, NO_STTY=NO_STTY)
_LOGIN = load("login")
_LEAD = load("lead_group")
_PROVE = load("prove", READ_SCRIPT=_READ, ESCAPE="\033", BELL="\007")


def bootstrap(nonce: str, *, pty: bool, login: bool, plain: bool = False) -> str:
    """The command that every channel starts, for a login shell of any kind (sh, csh, fish).

    `plain`: the login shell is known to behave like /bin/sh, and runs the bootstrap itself instead of starting that. It
    prints nothing first; it only reads, and what it is sent makes it report that it is ready; see `proves_at_once`.
    """
    text = _READ if proves_at_once(pty=pty, login=login, plain=plain) else fill(_PTY if pty else _APART, NONCE=nonce)
    if login:
        in_double_quotes = re.sub(r'(["$])', r"\\\1", text)
        return f"{START}{fill(_LOGIN, BOOTSTRAP=in_double_quotes)}'"
    return text if plain else f"{START}{text}'"


def proves_at_once(*, pty: bool, login: bool, plain: bool) -> bool:
    """Whether to send `prove` before the shell has printed anything, which saves the round trip for the bootstrap's
    marker."""
    return plain and not (pty or login)


def led(bootstrap: str) -> str:
    """The same bootstrap, started by the leader of a process group, for servers that do not create a group: signals,
    and the clean-up after a lost connection, address that group. The only quotes in it are those of its own `/bin/sh
    -c`."""
    text = bootstrap.removeprefix(START).removesuffix("'") if bootstrap.startswith(START) else bootstrap
    return f"{START}{_LEAD}' '{text}'"


def is_plain(login_shell: str) -> bool:
    """Whether a login shell, by its path, behaves like /bin/sh: if it is given a command, it reads no start-up file.

    bash does read one if sshd starts it, and .bashrc could change the meaning of our text.
    """
    return login_shell.rpartition("/")[2] in ("sh", "dash", "ash")


def prove(secret: str) -> bytes:
    """What a shell is sent first. `secret` consists of letters and digits."""
    return fill(_PROVE, SECRET=secret).encode() + b"\n"


def takes(shell: str, line: bytes) -> bool:
    """Whether the shell can read a script unchanged, according to what it reported with its proof.

    yash reads characters, and fails at bytes that are invalid in its locale, which it reports after the colon.
    """
    kind, _, locale = shell.partition(":")
    if kind != "yash" or line.isascii():
        return True
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return locale.lower().endswith(("utf-8", "utf8"))
