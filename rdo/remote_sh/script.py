"""The script of a request: what a session does on the target, which render.py expresses as shell text. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from rdo.errors import RdoError
from rdo.ipc.terminal_modes import CHARACTERS, FLAGS

_MODE_FLAGS = frozenset({"iutf8"}.union(*FLAGS.values()))


class Copied(NamedTuple):
    """Files that rdo has copied to the target, without which the command must not start."""

    state: str
    """The absolute path of the directory on the target where rdo records what it has copied."""
    serial: str
    """The identifier of that record, of letters and digits."""


class Script(NamedTuple):
    """What a session does on the target. Text uses `surrogateescape` for bytes that are not UTF-8."""

    command: Sequence[str]
    """The words to execute; if empty, the login shell."""
    directory: str = ""
    """The directory to run in, absolute or relative to the login directory; empty for the login directory."""
    lost: str = ""
    """The line for the user if that directory cannot be entered. Only used with sudo."""
    environment: Mapping[str, str] = MappingProxyType({})
    path: Sequence[str] = ()
    """Directories to put in front of PATH."""
    sudo: str = ""
    """The user for sudo: a name or a number, perhaps followed by `:` and a group. Empty for no sudo."""
    has_input: bool = True
    """Whether stdin is what follows the script, rather than /dev/null. On a pty it is always the terminal."""
    keep: bool = False
    """Whether the command continues when the connection is lost."""
    inside: str = ""
    """The value of RDO_ON_TARGET, which tells an rdo run by the command that this is its target; empty for none. A
    relative path is relative to the login directory. Not set through sudo, which may keep no variables."""
    copied: Copied | None = None
    """What has to be present before the command starts; None for nothing."""
    modes: Sequence[Sequence[str]] = ()
    """The settings for stty on a pty after its own modes were restored, each as a sequence of words."""
    text: str = ""
    """Shell text of rdo's own, to run in place of everything else."""


def mode_settings(modes: bytes) -> Iterator[tuple[str, ...]]:
    """The modes of the caller's terminal as arguments for stty(1): `intr ^C`, `-ixon`. Raises RdoError for anything
    else.

    A pty is often open before its command is known, and a shell that can run stty is available with every driver. So
    modes are sent this way, rather than in the request for the pty as ssh sends them (RFC 4254, section 8).
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
    """A key as POSIX spells it for stty: a control character as a circumflex and a letter."""
    if code == 0x7F:
        return "^?"
    return chr(code) if code > 0x1F else f"^{chr(code + 0x40)}"
