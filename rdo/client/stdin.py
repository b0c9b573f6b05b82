"""The caller's stdin, read by a thread of its own and sent to the master."""

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
"""Bytes at a time: what a pipe holds by default. As many at once are the beginning of a long stream."""

TURN_INTERVAL = 0.1
"""Seconds until stdin is looked at again while its terminal is somebody else's: there is no event for that."""

SUSPENSION = 0.2
"""Seconds after the key for that in which a command may be reported stopped: what is typed then may be the shell's."""


class Stdin:
    """Sends stdin to its end, within the credit that the master gives."""

    def __init__(self, outbox: Outbox, foreground: Foreground) -> None:
        """`foreground` holds the terminal that stdin is in raw mode, if all keys are ours."""
        self._outbox = outbox
        self._foreground = foreground
        self._credit = protocol.INPUT_WINDOW  # bytes in all; written by the main thread only
        self._more_credit = _thread.allocate_lock()  # guards nothing: released when there is more
        self._pipe: Pipe | None = None
        self._untried = True  # whether stdin might be spliced
        self._over = False

    def start(self) -> None:
        """Begin to read."""
        self._more_credit.acquire()
        threads.start(self._relay)

    def add_credit(self, size: int) -> None:
        """The command has read so many bytes: so many more may be sent."""
        self._credit += size
        if self._more_credit.locked():
            self._more_credit.release()

    def end(self) -> None:
        """Send nothing more; what is typed from now on is for somebody else."""
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
        # In raw mode the end of input is a key like any other: then it is the terminal that is gone.
        if self._foreground.hangs_up:
            self._outbox.send(protocol.SIGNAL, b"HUP")
            self._outbox.send(protocol.SIGNAL, b"CONT")  # as the system does, for what is stopped
        elif not self._foreground.is_raw():
            self._outbox.send(protocol.END)

    def _send_chunk(self, limit: int) -> int:
        """Send what there is; return how many bytes, 0 at the end."""
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
        """Wait until there is something to read on the terminal, and it is for us.

        Who has to leave the terminal to others meanwhile takes no key from them.
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
    """What there is on stdin, whether or not somebody made it non-blocking; nothing at its end."""
    while True:
        try:
            return os.read(0, size)
        except BlockingIOError:
            select.select((0,), (), ())
        except OSError:
            return b""
