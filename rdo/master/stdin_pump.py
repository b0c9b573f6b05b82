"""Relays the input of one command to the channel: at once if the channel has room, else from a thread of its own. Input
that is not yet written is kept here, limited by the credit that the client was given."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rdo.drivers.base import Channel
from rdo.drivers.chunk_queue import ChunkQueue
from rdo.errors import LinkLost
from rdo.ipc import protocol
from rdo.master.client_connection import ClientGone
from rdo.util import threads

ACKNOWLEDGE = protocol.INPUT_WINDOW // 4
"""Bytes that the command must have taken before the client gets credit for as many more."""

STDIN = 0


class StdinPump:
    """Writes input to a channel, in order. Thread-safe."""

    def __init__(
        self,
        channel: Channel,
        acknowledge: Callable[[int], None],
        broken: Callable[[BaseException], None],
        *,
        held: bool,
    ) -> None:
        """`acknowledge` is called with the number of bytes written, and may raise ClientGone. `broken` is called with
        an unexpected error.

        `held`: write nothing until `resume`.
        """
        self._channel = channel
        self._acknowledge = acknowledge
        self._broken = broken
        self._held = held
        self.divert: Callable[[bytes], bytes] | None = None
        """A function that may use some of the input for something else, and returns the rest for the channel."""
        self._changed = threading.Condition()
        """Guards everything below, and the order of input. Held while the end of input is written."""
        self._pieces = ChunkQueue(ACKNOWLEDGE)
        self._ended = False
        self._closed = False
        self._busy = False
        """Whether the thread is writing something."""
        self._thread: threading.Thread | None = None

    def give(self, data: bytes | memoryview) -> None:
        """Add input. To be called from one thread only."""
        if self.divert is not None:
            rest = self.divert(bytes(data))
            if not rest:
                self._count(len(data))
                return
            data = rest
        with self._changed:
            waits = self._held or self._busy or self._pieces
        try:
            written = not waits and self._channel.try_write(data)
        except LinkLost:
            return  # see `_relay`
        with self._changed:
            if written:
                self._pieces.count_consumed(len(data))
            else:
                self._pieces.put(STDIN, data)
            self._wake()

    def _count(self, size: int) -> None:
        """Count bytes that were taken."""
        with self._changed:
            self._pieces.count_consumed(size)
            self._wake()

    def end(self) -> None:
        """Note the end of input."""
        with self._changed:
            self._ended = True
            if self._thread is None and not self._pieces:
                self._channel.end_input()
            else:
                self._wake()

    def hold(self) -> None:
        """Hold back input, since nobody is there to read it."""
        self._held = True

    def resume(self) -> None:
        """Stop holding back input."""
        with self._changed:
            self._held = False
            self._wake()

    def close(self) -> None:
        """Drop the remaining input, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _wake(self) -> None:
        """Wake the thread if there is anything to do, and start it if there is none."""
        if not self._has_work():
            return
        self._changed.notify()
        if self._thread is None:
            self._thread = threads.start(self._relay, name="input")

    def _relay(self) -> None:
        try:
            while (work := self._next()) is not None:
                data, owed = work
                if data:
                    self._channel.write(data)
                if owed:
                    self._acknowledge(owed)
            if not self._closed:
                self._channel.end_input()
        except (LinkLost, ClientGone):
            return  # the threads that read the channel and the connection notice it, too
        except BaseException as error:
            self._broken(error)

    def _next(self) -> tuple[bytes | memoryview, int] | None:
        """The next input to write, and how many bytes to acknowledge after it; None at the end."""
        with self._changed:
            self._busy = False
            self._changed.wait_for(self._has_work)
            self._busy = True
            data = self._pieces.take().data if self._pieces and not self._held else b""
            owed = self._pieces.take_credit()
            return (data, owed) if (data or owed) and not self._closed else None

    def _has_work(self) -> bool:
        return self._closed or self._pieces.credit_due or (not self._held and bool(self._pieces or self._ended))
