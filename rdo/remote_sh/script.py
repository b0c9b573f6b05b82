"""The script of one request: what a session does on the target, which render.py says in the words of a shell. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from rdo.errors import RdoError
from rdo.ipc.terminal_modes import CHARACTERS, FLAGS

_MODE_FLAGS = frozenset({"iutf8"}.union(*FLAGS.values()))


class Copied(NamedTuple):
    """Files that rdo has copied to the target, without which the command is not to start."""

    state: str
    """The directory there in which rdo records what it has copied: absolute."""
    serial: str
    """By which the record is known: of letters and digits."""


class Script(NamedTuple):
    """What a session does on the target. Text, with `surrogateescape` for bytes that are not UTF-8."""

    command: Sequence[str]
    """The words to execute; none: the login shell."""
    directory: str = ""
    """Directory to run in, absolute or relative to the login directory; empty: the login directory."""
    lost: str = ""
    """The line for the user if that directory cannot be entered. The script has it only for sudo."""
    environment: Mapping[str, str] = MappingProxyType({})
    path: Sequence[str] = ()
    """Directories to put before PATH."""
    sudo: str = ""
    """Whom sudo is to run it as: a name or a number, perhaps followed by `:` and a group. Empty: no sudo."""
    has_input: bool = True
    """Whether stdin is what follows the script; else it is /dev/null. On a pty it is the terminal in any case."""
    keep: bool = False
    """Whether it continues when the connection is lost."""
    inside: str = ""
    """Value of RDO_ON_TARGET, by which an rdo that the command calls knows that this is its target; empty for none. A
    relative path counts from the login directory. Not set through sudo, which may keep no variable.
    """
    copied: Copied | None = None
    """What has to be there before the command starts; None: nothing."""
    modes: Sequence[Sequence[str]] = ()
    """What stty is to set on a pty, once its own modes are restored: the words of each setting."""
    text: str = ""
    """What the shell does itself, in place of all else: text of rdo's own."""


def mode_settings(modes: bytes) -> Iterator[tuple[str, ...]]:
    """The modes of the caller's terminal as words for stty(1): `intr ^C`, `-ixon`. Raises RdoError for anything else.

    A pty is often there before its command is known, and every driver gives a shell that can run stty, so that is how
    modes travel: not in the request for the pty, as ssh sends them (RFC 4254, section 8).
    """
    for item in modes.decode("ascii", "replace").split():
        name, _, value = item.partition("=")
        if name in CHARACTERS and value == "undef":
            yield name, "undef"
        elif name in CHARACTERS and value.isdecimal() and 0 < int(value) < 0x80:
            yield name, _spelled(int(value))
        elif name in _MODE_FLAGS and value in ("0", "1"):
            yield (name if value == "1" else f"-{name}",)
        else:
            raise RdoError(f"`{item}` is not a terminal mode")


def _spelled(code: int) -> str:
    """A key as POSIX has it for stty: a control character by a circumflex and the letter."""
    if code == 0x7F:
        return "^?"
    return chr(code) if code > 0x1F else f"^{chr(code + 0x40)}"
