"""The modes of the caller's terminal as a request carries them: which modes there are, and how they are read.

remote_sh/script.py turns them into arguments for stty(1).
"""

from __future__ import annotations

import os
import termios
from collections.abc import Iterator

IFLAG, OFLAG, CFLAG, LFLAG, CC = 0, 1, 2, 3, 6
"""The index of each group of modes in what Python's termios.tcgetattr() returns."""

_IUTF8 = 0o40000
"""IUTF8, which has this value on Linux and macOS but no name in Python."""

CHARACTERS = {
    "intr": "VINTR", "quit": "VQUIT", "erase": "VERASE", "kill": "VKILL", "eof": "VEOF", "eol": "VEOL", "eol2": "VEOL2",
    "start": "VSTART", "stop": "VSTOP", "susp": "VSUSP", "rprnt": "VREPRINT", "werase": "VWERASE", "lnext": "VLNEXT",
}  # fmt: skip
"""The control characters of a terminal: names of stty(1) and of termios(3). Those that some stty does not know
(`dsusp`, `status` and `discard` of the BSDs) are left out, since such a stty would then set nothing."""

FLAGS = {
    IFLAG: ("ignpar", "parmrk", "inpck", "istrip", "inlcr", "igncr", "icrnl", "ixon", "ixany", "ixoff", "imaxbel"),
    OFLAG: ("opost", "onlcr", "ocrnl", "onocr", "onlret"),
    LFLAG: (
        "isig", "icanon", "echo", "echoe", "echok", "echonl", "noflsh", "tostop", "iexten", "echoctl", "echoke",
    ),
}  # fmt: skip
"""The flags that are sent, by their index in tcgetattr(): those that ssh sends and that a pty has (RFC 4254, 8)."""

_CODE_LIMIT = 0x80
"""The first character code that stty(1) cannot spell in a way that every implementation reads."""


def read(fd: int) -> bytes:
    """The modes of the terminal `fd`, as a request carries them; empty if it is not a terminal."""
    try:
        attributes = termios.tcgetattr(fd)
    except termios.error:
        return b""
    disabled = os.fpathconf(fd, "PC_VDISABLE")
    return " ".join((*_characters(attributes[CC], disabled), *_flags(attributes))).encode()


def _characters(codes: list[bytes], disabled: int) -> Iterator[str]:
    for name, constant in CHARACTERS.items():
        index = getattr(termios, constant, -1)
        code = int.from_bytes(codes[index], "big") if index >= 0 else _CODE_LIMIT
        if code == disabled:
            yield f"{name}=undef"
        elif code < _CODE_LIMIT:
            yield f"{name}={code}"


def _flags(attributes: termios._AttrReturn) -> Iterator[str]:
    for index, names in FLAGS.items():
        for name in names:
            flag = getattr(termios, name.upper(), 0)
            if flag:
                yield f"{name}={int(bool(attributes[index] & flag))}"
    yield f"iutf8={int(bool(attributes[IFLAG] & _IUTF8))}"
