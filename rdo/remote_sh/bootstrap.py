"""What starts a shell on the target, up to where it waits for its script. Pure, but for the text it loads."""

from __future__ import annotations

import re

from rdo.remote_sh.template import fill, load

NO_STTY = "stty"
"""What stands in the ready line in place of the process id where the terminal cannot be set raw."""

START = "exec /bin/sh -c '"

_READ = load("read_script")
_APART = load("bootstrap", READ_SCRIPT=_READ)
_PTY = load("bootstrap_pty", READ_SCRIPT=_READ, NO_STTY=NO_STTY)
_LOGIN = load("login")
_LEAD = load("lead_group")
_PROVE = load("prove", READ_SCRIPT=_READ, ESCAPE="\033", BELL="\007")


def bootstrap(nonce: str, *, pty: bool, login: bool, plain: bool = False) -> str:
    """The command that every channel starts, for a login shell of any kind (sh, csh, fish).

    `plain`: for one that is known to do as /bin/sh does, which runs it without starting that. It is silent before, and
    the first to read: so it only reads, and what it is sent has it say that it is ready; see `proves_at_once`.
    """
    text = _READ if proves_at_once(pty=pty, login=login, plain=plain) else fill(_PTY if pty else _APART, NONCE=nonce)
    if login:
        in_double_quotes = re.sub(r'(["$])', r"\\\1", text)
        return f"{START}{fill(_LOGIN, BOOTSTRAP=in_double_quotes)}'"
    return text if plain else f"{START}{text}'"


def proves_at_once(*, pty: bool, login: bool, plain: bool) -> bool:
    """Whether a shell is to be sent `prove` before it says anything: the marker of a bootstrap costs a round trip."""
    return plain and not (pty or login)


def led(bootstrap: str) -> str:
    """The same bootstrap, begun by the leader of a process group, for servers that do not make it one: signals, and
    the end of what a lost connection leaves, go to that group. It has no quotes but those of its own `/bin/sh -c`.
    """
    text = bootstrap.removeprefix(START).removesuffix("'") if bootstrap.startswith(START) else bootstrap
    return f"{START}{_LEAD}' '{text}'"


def is_plain(login_shell: str) -> bool:
    """Whether a login shell, by its path, does as /bin/sh does: with a command to run, it reads no start-up file.

    bash does, where sshd starts it, and what stands in .bashrc could change what our text means.
    """
    return login_shell.rpartition("/")[2] in ("sh", "dash", "ash")


def prove(secret: str) -> bytes:
    """What a shell is sent first. `secret`: of letters and digits."""
    return fill(_PROVE, SECRET=secret).encode() + b"\n"


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
