"""The modes of the caller's terminal as words for stty(1) on the target. Pure.

A pty is often there before its command is known, and every driver gives a shell that can run stty, so that is how modes
travel: not in the request for the pty, as ssh sends them (RFC 4254, section 8).
"""

from __future__ import annotations

from collections.abc import Iterator

from rdo.errors import RdoError
from rdo.ipc.terminal_modes import CHARACTERS, FLAGS

_FLAGS = frozenset({"iutf8"}.union(*FLAGS.values()))


def settings(modes: bytes) -> Iterator[tuple[str, ...]]:
    """The words of each setting: `intr ^C`, `-ixon`. Raises RdoError for anything else: stty is not given it."""
    for item in modes.decode("ascii", "replace").split():
        name, _, value = item.partition("=")
        if name in CHARACTERS and value == "undef":
            yield name, "undef"
        elif name in CHARACTERS and value.isdecimal() and 0 < int(value) < 0x80:
            yield name, _spelled(int(value))
        elif name in _FLAGS and value in ("0", "1"):
            yield (name if value == "1" else f"-{name}",)
        else:
            raise RdoError(f"`{item}` is not a terminal mode")


def _spelled(code: int) -> str:
    """A key as POSIX has it for stty: a control character by a circumflex and the letter."""
    if code == 0x7F:
        return "^?"
    return chr(code) if code > 0x1F else f"^{chr(code + 0x40)}"
