"""The input of one command on its way to the channel: by a thread of its own, since the command may be slow to read it.

What has come is held here, no more than the credit that the client was given.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from rdo import protocol
from rdo.conversation import Gone
from rdo.drivers.base import Channel
from rdo.drivers.chunk_queue import ChunkQueue
from rdo.errors import LinkLost

ACKNOWLEDGE = protocol.INPUT_WINDOW // 4
"""Bytes that the command has taken, before the client is told that it may send as many more."""

STDIN = 0


class Input:
    """Gives input to a channel, in order. Usable from any thread."""

    def __init__(self, channel: Channel, acknowledge: Callable[[int], None], *, held: bool) -> None:
        """`acknowledge` is told of bytes that were taken; it may raise Gone. `held`: wait for `resume` first."""
        self._channel = channel
        self._acknowledge = acknowledge
        self._held = held
        self._changed = threading.Condition()
        self._pieces = ChunkQueue(ACKNOWLEDGE)
        self._ended = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def give(self, data: bytes | memoryview) -> None:
        """So much more input."""
        with self._changed:
            self._pieces.put(STDIN, data)
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._relay, name="input", daemon=True)
                self._thread.start()

    def end(self) -> None:
        """No more will come."""
        with self._changed:
            self._ended = True
            self._changed.notify()
            if self._thread is None:
                self._channel.end_input()

    def hold(self) -> None:
        """Nobody is there to take it for now."""
        self._held = True

    def resume(self) -> None:
        """Somebody is."""
        with self._changed:
            self._held = False
            self._changed.notify()

    def close(self) -> None:
        """Drop what is left, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _relay(self) -> None:
        try:
            while data := self._next():
                self._channel.write(data)
                if owed := self._pieces.owed():
                    self._acknowledge(owed)
            if not self._closed:
                self._channel.end_input()
        except (LinkLost, Gone):
            return  # the threads that read the channel and the connection see it too, and act on it

    def _next(self) -> bytes | memoryview:
        """The next input; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or (not self._held and (self._pieces or self._ended)))
            return b"" if self._closed or not self._pieces else self._pieces.take().data
