"""Reads the caller's stdin in a thread of its own, and sends it to the master."""

from __future__ import annotations

import _thread
import os
import select

from rdo.client import threads, tty
from rdo.client.foreground import Foreground
from rdo.client.splice import Piece, Pipe
from rdo.ipc import protocol
from rdo.ipc.sockets import Outbox

READ_SIZE = 64 * 1024
"""Bytes at a time: what a pipe holds by default. That many at once are the start of a long stream."""

TURN_INTERVAL = 0.1
"""Seconds between looks at stdin while another program reads the terminal, since no event reports its end."""

SUSPENSION = 0.2
"""Seconds after the suspend key in which the command may report that it was stopped, so that input may be for the
shell."""


class Stdin:
    """Sends stdin to its end, within the credit that the master gives."""

    def __init__(self, outbox: Outbox, foreground: Foreground) -> None:
        """`foreground` holds the terminal on stdin in raw mode, if all keys are ours."""
        self._outbox = outbox
        self._foreground = foreground
        self._credit = protocol.INPUT_WINDOW  # total bytes; written only by the main thread
        self._more_credit = _thread.allocate_lock()  # guards nothing: released when there is more
        self._pipe: Pipe | None = None
        self._untried = True  # whether splicing stdin may be possible
        self._over = False

    def start(self) -> None:
        """Start reading."""
        self._more_credit.acquire()
        threads.start(self._relay)

    def add_credit(self, size: int) -> None:
        """Allow so many more bytes, since the command has read that many."""
        self._credit += size
        if self._more_credit.locked():
            self._more_credit.release()

    def end(self) -> None:
        """Send nothing more, since input from now on is for another program."""
        self._over = True

    def _relay(self) -> None:
        is_terminal, sent = os.isatty(0), 0
        while True:
            if is_terminal:
                self._wait_for_our_turn()
            if self._over:
                return
            while sent >= self._credit:
                self._more_credit.acquire()
            count = self._send_chunk(self._credit - sent)
            if not count:
                break
            sent += count
        # In raw mode the key for the end of input is like any other, so an end means that the terminal is gone.
        if self._foreground.hangs_up:
            self._outbox.send(protocol.SIGNAL, b"HUP")
            self._outbox.send(protocol.SIGNAL, b"CONT")  # as the system does for a stopped process
        elif not self._foreground.is_raw():
            self._outbox.send(protocol.END)

    def _send_chunk(self, limit: int) -> int:
        """Send what there is, and return the number of bytes, 0 at the end."""
        data: bytes | Piece
        if self._pipe:
            try:
                data = self._pipe.take(0, limit)
            except (AttributeError, OSError):  # no Linux, a terminal, a pipe that somebody made non-blocking
                self._pipe = None
                return self._send_chunk(limit)
        else:
            data = read(min(READ_SIZE, limit))
            if self._untried and len(data) == READ_SIZE:
                self._untried = False
                self._pipe = Pipe()
        if isinstance(data, bytes):
            self._foreground.note_keys(data)
        if data:
            self._outbox.send(protocol.INPUT, data)
        if isinstance(data, bytes) and self._foreground.has_suspend_key(data):
            select.select((), (), (), SUSPENSION)
        return len(data)

    def _wait_for_our_turn(self) -> None:
        """Wait until there is input on the terminal, and it is for us.

        A process in the background takes no keys from the others meanwhile.
        """
        while not self._over:
            awaits_terminal = self._foreground.awaits_terminal()
            is_ready = select.select((0,), (), (), TURN_INTERVAL if awaits_terminal else None)[0]
            if awaits_terminal:
                self._foreground.take_terminal()
            if is_ready and (self._foreground.is_raw() or tty.is_ours(0)):
                return
            if is_ready:
                select.select((), (), (), TURN_INTERVAL)


def read(size: int) -> bytes:
    """What there is on stdin, even if somebody made it non-blocking; empty at its end."""
    while True:
        try:
            return os.read(0, size)
        except BlockingIOError:
            select.select((0,), (), ())
        except OSError:
            return b""
