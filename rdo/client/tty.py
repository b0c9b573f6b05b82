"""The caller's terminal: its size, its raw mode, and who may read it."""

from __future__ import annotations

import fcntl
import os
import sys
import termios

from rdo.fscodec import fsdecode, fsencode
from rdo.ipc.terminal_modes import CC, CFLAG, IFLAG, LFLAG, OFLAG

_WINSIZE = 8
"""Bytes of struct winsize: four numbers of two bytes."""

WindowSize = tuple[int, int, int, int]
"""Rows, columns, width and height in pixels."""


def window_size(fd: int) -> WindowSize:
    """The size of the terminal `fd`."""
    try:
        size = fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(_WINSIZE))
    except OSError:
        return 24, 80, 0, 0
    rows, columns, width, height = (int.from_bytes(size[start : start + 2], sys.byteorder) for start in (0, 2, 4, 6))
    return rows, columns, width, height


def is_ours(fd: int) -> bool:
    """Whether input on the terminal `fd` is meant for us, who did not set it to raw mode.

    Not while we are in the background (a read would stop us: SIGTTIN), nor while another program, such as a pager after
    us in the pipeline, reads single keys from it: then line editing (ICANON) is off.
    """
    try:
        return os.tcgetpgrp(fd) == os.getpgrp() and bool(termios.tcgetattr(fd)[LFLAG] & termios.ICANON)
    except (OSError, termios.error):
        return True


def is_in_front(fd: int) -> bool:
    """Whether we are in the foreground of the terminal `fd`."""
    return _group_in_front(fd) == os.getpgrp()


def is_in_background(fd: int) -> bool:
    """Whether another job is in the foreground of the terminal `fd`."""
    return _group_in_front(fd) not in (None, os.getpgrp())


def is_foreign(fd: int) -> bool:
    """Whether it is a terminal without job control for us: the process that started us opened it without making it our
    session's."""
    return _group_in_front(fd) is None and os.isatty(fd)


def _group_in_front(fd: int) -> int | None:
    """The process group in the foreground of the terminal `fd`; None if it is not our session's."""
    try:
        return os.tcgetpgrp(fd)
    except OSError:
        return None


def takes_keys(fd: int) -> bool:
    """Whether a program reads single keys from the terminal `fd`, and so has the screen, too."""
    try:
        return not termios.tcgetattr(fd)[LFLAG] & termios.ICANON
    except termios.error:
        return False


class Terminal:
    """Raw mode of the terminal `fd`, which may be entered and left any number of times."""

    __slots__ = ("_fd", "_saved")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._saved: termios._AttrReturn | None = None

    @property
    def raw(self) -> bool:
        """Whether the terminal is in raw mode."""
        return self._saved is not None

    def has_suspend_key(self, typed: bytes) -> bool:
        """Whether the input contains the suspend key, as set in the terminal before it was raw."""
        return any(key in typed for key in self._keys(termios.VSUSP))

    def ends_with_interrupt_key(self, typed: bytes) -> bool:
        """Whether the input ends with the interrupt key, as set in the terminal before it was raw."""
        return any(typed.endswith(key) for key in self._keys(termios.VINTR))

    def _keys(self, index: int) -> list[bytes]:
        """The key that sends a signal; empty if no key does."""
        if self._saved is None or not self._saved[LFLAG] & termios.ISIG:
            return []
        key = self._saved[CC][index]
        return [key] if key != _disabled(self._fd) else []

    def enter_raw(self) -> bool:
        """Let every key through, as cfmakeraw(3) does. Returns False in the background, where that would stop us.

        If it was raw before, a shell that saw us stopped (SIGSTOP) may have set its own modes meanwhile.
        """
        if is_in_background(self._fd):
            self._saved = None
            return False
        try:
            saved = self._saved or termios.tcgetattr(self._fd)
            termios.tcsetattr(self._fd, termios.TCSADRAIN, _raw(saved))
        except termios.error:
            return self.raw  # the terminal is gone, and its modes with it
        self._saved = saved
        return True

    def restore(self) -> None:
        """Restore the original modes."""
        if self._saved is not None:
            saved, self._saved = self._saved, None
            try:
                termios.tcsetattr(self._fd, termios.TCSADRAIN, saved)
            except (OSError, termios.error):
                pass  # the terminal is gone, and its modes with it


def _disabled(fd: int) -> bytes:
    """The value that stands for an unassigned key."""
    return bytes([os.fpathconf(fd, "PC_VDISABLE")])


def _raw(modes: termios._AttrReturn) -> termios._AttrReturn:
    raw = list(modes)
    raw[IFLAG] &= ~(
        termios.IGNBRK | termios.BRKINT | termios.PARMRK | termios.ISTRIP | termios.INLCR | termios.IGNCR
        | termios.ICRNL | termios.IXON
    )  # fmt: skip
    raw[OFLAG] &= ~termios.OPOST
    raw[LFLAG] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
    raw[CFLAG] = raw[CFLAG] & ~(termios.CSIZE | termios.PARENB) | termios.CS8
    raw[CC] = list(raw[CC])
    raw[CC][termios.VMIN], raw[CC][termios.VTIME] = 1, 0
    return raw


def ask(question: str, *, echo: bool) -> str | None:
    """The line typed in answer on the controlling terminal, whatever stdin is; None if there is no terminal."""
    try:
        fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return None
    modes = termios.tcgetattr(fd)
    try:
        if not echo:
            silent = list(modes)
            silent[LFLAG] &= ~termios.ECHO
            termios.tcsetattr(fd, termios.TCSAFLUSH, silent)
        os.write(fd, question.encode("utf-8", "replace"))
        answer = os.read(fd, 4096)
        if not echo:
            os.write(fd, b"\n")
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, modes)
        os.close(fd)
    return fsdecode(answer).rstrip("\r\n") if answer else None


def screen() -> tuple[int, int] | None:
    """Rows and columns of the controlling terminal; None if there is none. If it reports no size, 24 and 80.

    For a question to be asked on it: earlier input, or what the terminal itself has sent, is not an answer.
    """
    try:
        fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return None
    try:
        rows, columns, _, _ = window_size(fd)
        termios.tcflush(fd, termios.TCIFLUSH)
    except termios.error:
        return None  # it has just been hung up
    finally:
        os.close(fd)
    return rows or 24, columns or 80


def answer(prompt: bytes) -> bytes:
    """The payload of ANSWER to a PROMPT with this payload."""
    if prompt[:1] == b"w":
        size = screen()
        return b"0" if size is None else b"1%d %d" % size
    typed = ask(prompt[1:].decode("utf-8", "replace"), echo=prompt[:1] == b"1")
    return b"0" if typed is None else b"1" + fsencode(typed)
