"""A temporary line on the caller's terminal, which shows what the first command waits for.

It is written after the cursor, which then returns to its position, so that what somebody types meanwhile stays in
place. Without line wrap, it can never scroll. Uses DEC's sequences, which all current terminals support.
"""

from __future__ import annotations

import _signal
import os

from rdo.client import tty

SAVE, RESTORE = b"\0337", b"\0338"
WRAP_OFF, WRAP_ON = b"\033[?7l", b"\033[?7h"
CLEAR = b"\033[K"

SIGNALS = (_signal.SIGTERM, _signal.SIGHUP, _signal.SIGQUIT, _signal.SIGTSTP)
"""Signals that end or stop a client whose command has not started yet. SIGINT raises KeyboardInterrupt."""


class StatusLine:
    """One line on the terminal `fd`."""

    __slots__ = ("_fd", "_handled", "_shown")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._shown = False
        self._handled: set[int] = set()

    def show(self, line: bytes) -> None:
        """Show a line in place of the previous one; not in the background, where it would garble the output of
        others."""
        if not tty.is_in_front(self._fd):
            self._shown = False
            return
        if not self._shown:
            self._shown = True
            for number in SIGNALS:
                if _signal.getsignal(number) == _signal.SIG_DFL:
                    self._handled.add(number)
                    _signal.signal(number, self._reraise_signal)
        text = line.decode("utf-8", "replace")[: tty.window_size(self._fd)[1] - 1].encode()
        self._write(SAVE + WRAP_OFF + text + CLEAR + WRAP_ON + RESTORE)

    def erase(self) -> None:
        """Erase the line, if one is shown."""
        if self._shown:
            self._shown = False
            self._write(CLEAR)
        while self._handled:
            _signal.signal(self._handled.pop(), _signal.SIG_DFL)

    def _reraise_signal(self, number: int, _frame: object) -> None:
        """Erase the line, then let the signal have its default effect. After a stop, the next line is shown again."""
        self.erase()
        os.kill(os.getpid(), number)

    def _write(self, data: bytes) -> None:
        try:
            os.write(self._fd, data)
        except OSError:
            pass  # the terminal is gone, and the line with it
