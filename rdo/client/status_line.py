"""A line on the caller's terminal that leaves no trace: what the first command waits for.

It is written after the cursor, which goes back to where it was: so what somebody types meanwhile stays where it would
have been. Without line wrap, it can never scroll. DEC's sequences, which all of today's terminals know.
"""

from __future__ import annotations

import _signal
import os

from rdo.client import tty

SAVE, RESTORE = b"\0337", b"\0338"
WRAP_OFF, WRAP_ON = b"\033[?7l", b"\033[?7h"
CLEAR = b"\033[K"

SIGNALS = (_signal.SIGTERM, _signal.SIGHUP, _signal.SIGQUIT, _signal.SIGTSTP)
"""What ends or stops a client whose command was not started yet. SIGINT raises KeyboardInterrupt."""


class StatusLine:
    """One line on the terminal `fd`."""

    __slots__ = ("_fd", "_handled", "_shown")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._shown = False
        self._handled: set[int] = set()

    def show(self, line: bytes) -> None:
        """Show it in place of the one before; not in the background, where that would spoil what others show."""
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
        """Leave the terminal as it was found, if a line is shown."""
        if self._shown:
            self._shown = False
            self._write(CLEAR)
        while self._handled:
            _signal.signal(self._handled.pop(), _signal.SIG_DFL)

    def _reraise_signal(self, number: int, _frame: object) -> None:
        """Let the signal do what it would have done, with the line gone. After a stop the next line shows again."""
        self.erase()
        os.kill(os.getpid(), number)

    def _write(self, data: bytes) -> None:
        try:
            os.write(self._fd, data)
        except OSError:
            pass  # the terminal is gone, and the line with it
