"""The caller's terminal: its size, its modes, and whose turn it is to read it. Part of the client's hot path."""

import fcntl
import posix
import sys
import termios

from rdo.fscodec import fsdecode, fsencode

_WINSIZE = 8
"""Bytes of struct winsize: four numbers of two."""

_IFLAG, _OFLAG, _CFLAG, _LFLAG, _CC = 0, 1, 2, 3, 6

_IUTF8 = 0o40000
"""The same on Linux and macOS; Python has no name for it."""

CHARACTERS = {
    "intr": "VINTR", "quit": "VQUIT", "erase": "VERASE", "kill": "VKILL", "eof": "VEOF", "eol": "VEOL", "eol2": "VEOL2",
    "start": "VSTART", "stop": "VSTOP", "susp": "VSUSP", "rprnt": "VREPRINT", "werase": "VWERASE", "lnext": "VLNEXT",
}  # fmt: skip
"""The keys that a terminal acts on: names of stty(1) and of termios(3). Without those that some stty does not know
(`dsusp`, `status` and `discard` of the BSDs), since it then sets nothing.
"""

FLAGS = {
    _IFLAG: ("ignpar", "parmrk", "inpck", "istrip", "inlcr", "igncr", "icrnl", "ixon", "ixany", "ixoff", "imaxbel"),
    _OFLAG: ("opost", "onlcr", "ocrnl", "onocr", "onlret"),
    _LFLAG: (
        "isig", "icanon", "echo", "echoe", "echok", "echonl", "noflsh", "tostop", "iexten", "echoctl", "echoke",
    ),
}  # fmt: skip
"""Flags that travel, by where tcgetattr(3) has them: those that ssh sends, but for what a pty has not (RFC 4254, 8)."""

_BEYOND = 0x80
"""The first code of a key that stty(1) cannot spell in a way that all its kinds read."""

TYPE_CHECKING = False  # as typing has it, without the cost of importing that
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

WindowSize = tuple[int, int, int, int]
"""Rows, columns, width and height in pixels."""


def window_size(fd: int) -> WindowSize:
    """The size of the terminal that `fd` is."""
    try:
        size = fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(_WINSIZE))
    except OSError:
        return 24, 80, 0, 0
    rows, columns, width, height = (int.from_bytes(size[start : start + 2], sys.byteorder) for start in (0, 2, 4, 6))
    return rows, columns, width, height


def modes(fd: int) -> bytes:
    """The modes of the terminal that `fd` is, as the request has them; empty where it is none."""
    try:
        attributes = termios.tcgetattr(fd)
    except termios.error:
        return b""
    disabled = posix.fpathconf(fd, "PC_VDISABLE")
    return " ".join((*_characters(attributes[_CC], disabled), *_flags(attributes))).encode()


def _characters(codes: "list[Any]", disabled: int) -> "Iterator[str]":
    for name, constant in CHARACTERS.items():
        index = getattr(termios, constant, -1)
        code = int.from_bytes(codes[index], "big") if index >= 0 else _BEYOND
        if code == disabled:
            yield f"{name}=undef"
        elif code < _BEYOND:
            yield f"{name}={code}"


def _flags(attributes: "list[Any]") -> "Iterator[str]":
    for index, names in FLAGS.items():
        for name in names:
            flag = getattr(termios, name.upper(), 0)
            if flag:
                yield f"{name}={int(bool(attributes[index] & flag))}"
    yield f"iutf8={int(bool(attributes[_IFLAG] & _IUTF8))}"


def is_ours(fd: int) -> bool:
    """Whether input typed on the terminal `fd` is meant for us, who did not set it raw.

    Not while we are in the background (a read would stop us: SIGTTIN), nor while another program, such as a pager
    behind us in the pipeline, takes single keys from it: then line editing (ICANON) is off.
    """
    try:
        return posix.tcgetpgrp(fd) == posix.getpgrp() and bool(termios.tcgetattr(fd)[_LFLAG] & termios.ICANON)
    except (OSError, termios.error):
        return True


class Terminal:
    """Raw mode of the terminal `fd`, entered and left any number of times."""

    __slots__ = ("_fd", "_saved")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._saved: list[Any] | None = None

    @property
    def raw(self) -> bool:
        """Whether we hold the terminal in raw mode."""
        return self._saved is not None

    def enter_raw(self) -> bool:
        """Pass every key through, as cfmakeraw(3) does; False in the background, where that would stop us."""
        if self._saved is not None:
            return True
        try:
            if posix.tcgetpgrp(self._fd) != posix.getpgrp():
                return False
            saved = termios.tcgetattr(self._fd)
            termios.tcsetattr(self._fd, termios.TCSADRAIN, _raw(saved))
        except (OSError, termios.error):
            return False
        self._saved = saved
        return True

    def restore(self) -> None:
        """Set the modes as they were found."""
        if self._saved is not None:
            saved, self._saved = self._saved, None
            try:
                termios.tcsetattr(self._fd, termios.TCSADRAIN, saved)
            except (OSError, termios.error):
                pass  # the terminal is gone, and its modes with it


def _raw(modes: "list[Any]") -> "list[Any]":
    raw = list(modes)
    raw[_IFLAG] &= ~(
        termios.IGNBRK | termios.BRKINT | termios.PARMRK | termios.ISTRIP | termios.INLCR | termios.IGNCR
        | termios.ICRNL | termios.IXON
    )  # fmt: skip
    raw[_OFLAG] &= ~termios.OPOST
    raw[_LFLAG] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
    raw[_CFLAG] = raw[_CFLAG] & ~(termios.CSIZE | termios.PARENB) | termios.CS8
    raw[_CC] = list(raw[_CC])
    raw[_CC][termios.VMIN], raw[_CC][termios.VTIME] = 1, 0
    return raw


def ask(question: str, *, echo: bool) -> "str | None":
    """The line typed in answer on the controlling terminal, whatever stdin is; None where there is no terminal."""
    try:
        fd = posix.open("/dev/tty", posix.O_RDWR | posix.O_NOCTTY)
    except OSError:
        return None
    modes = termios.tcgetattr(fd)
    try:
        if not echo:
            silent = list(modes)
            silent[_LFLAG] &= ~termios.ECHO
            termios.tcsetattr(fd, termios.TCSAFLUSH, silent)
        posix.write(fd, question.encode("utf-8", "replace"))
        answer = posix.read(fd, 4096)
        if not echo:
            posix.write(fd, b"\n")
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, modes)
        posix.close(fd)
    return fsdecode(answer).rstrip("\r\n") if answer else None


def screen() -> "tuple[int, int] | None":
    """Rows and columns of the controlling terminal; None where there is none. One that does not say has 24 and 80.

    For a question that is to be asked on it: what was typed before, or sent by the terminal itself, is no answer.
    """
    try:
        fd = posix.open("/dev/tty", posix.O_RDWR | posix.O_NOCTTY)
    except OSError:
        return None
    try:
        rows, columns, _, _ = window_size(fd)
        termios.tcflush(fd, termios.TCIFLUSH)
    except termios.error:
        return None  # it was hung up just now
    finally:
        posix.close(fd)
    return rows or 24, columns or 80


def answer(prompt: bytes) -> bytes:
    """The payload of ANSWER to that of a PROMPT."""
    if prompt[:1] == b"w":
        size = screen()
        return b"0" if size is None else b"1%d %d" % size
    typed = ask(prompt[1:].decode("utf-8", "replace"), echo=prompt[:1] == b"1")
    return b"0" if typed is None else b"1" + fsencode(typed)
