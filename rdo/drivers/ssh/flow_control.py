"""What is under way over one SSH channel, both ways (RFC 4254, section 5.2): a program's output, with its end and its
status, from the transport's thread to whoever reads; and how much input the far end takes. Knows no messages.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum

from rdo.drivers.base import STDOUT, Chunk, Sink
from rdo.drivers.chunk_queue import ChunkQueue
from rdo.drivers.ssh.fields import Violation

WINDOW_LIMIT = 2**32 - 1
"""Bytes that may be under way to one side of a channel."""


class ReceiveState(Enum):
    """What may still come."""

    OUTPUT = "output, its end, and a status"
    STATUS = "a status: the output has ended"
    NOTHING = "nothing: all has come that was to come"
    UNWANTED = "nothing: we gave it up"
    LOST = "nothing: the connection ended before the output did"


TAKES_STATUS = frozenset({ReceiveState.OUTPUT, ReceiveState.STATUS})
COMPLETE = frozenset({ReceiveState.STATUS, ReceiveState.NOTHING})
"""The end of the output has come."""


class ReceiveBuffer:
    """See `read` and `watch` of Channel in rdo.drivers.base."""

    def __init__(self, acknowledge: int, window: int) -> None:
        """`window`: bytes that may come before anything is read. `acknowledge`: bytes read before it is worth giving
        the server credit for as many more.
        """
        # Guards all of this object; notified when there is something to read, or the status. It is held while `_sink`
        # is called, which therefore must not wait.
        self._changed = threading.Condition()
        self._state = ReceiveState.OUTPUT
        self._chunks = ChunkQueue(acknowledge)
        self._allowed = window
        self._sink: Sink | None = None
        self._watcher: Callable[[bool], None] | None = None
        self._end_shown = False
        """Whether the sink has taken the end of the output."""
        self.status: int | None = None
        """Of the program, once it has come."""

    # For the transport's thread.

    def put(self, stream: int, data: bytes | memoryview) -> None:
        """So much output. Raises Violation where it is more than the server had credit for."""
        with self._changed:
            if self._state is not ReceiveState.OUTPUT or not data:
                return
            self._spend(len(data))
            if self._sink and not self._chunks and self._sink(stream, data):
                self._chunks.count_consumed(len(data))
            else:
                self._chunks.put(stream, data)
            if self._is_readable():
                self._changed.notify_all()
        self.notify_watcher()

    def discard(self, size: int) -> None:
        """So many bytes came that are not output; they count as read."""
        with self._changed:
            self._spend(size)
            self._chunks.count_consumed(size)
            if self._is_readable():
                self._changed.notify_all()

    def put_status(self, status: int) -> None:
        """The program has ended; its output may not have. A second status is ignored."""
        with self._changed:
            if self.status is None and self._state in TAKES_STATUS:
                self.status = status
            if self._state in COMPLETE:  # else whoever reads has nothing to do yet
                self._changed.notify_all()

    def end(self) -> None:
        """No more output will come. A status may be next, so the watcher is called by the next `notify_watcher`."""
        with self._changed:
            if self._state is ReceiveState.OUTPUT:
                self._state = ReceiveState.STATUS
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing more will come: the server has closed the channel."""
        self._stop(ReceiveState.NOTHING)

    def lose(self) -> None:
        """Nothing more will come: the connection has ended. What ended before that is whole."""
        self._stop(ReceiveState.NOTHING if self._state in COMPLETE else ReceiveState.LOST)

    def notify_watcher(self) -> None:
        """Call the watcher as soon as somebody has to read."""
        if self._watcher is None:
            return
        with self._changed:
            watcher = self._watcher
            if watcher is None or not self._is_readable() or self._shows_end():
                return
            self._watcher = self._sink = None
            is_over = self.status is not None and self._state in COMPLETE and not self._chunks
        watcher(is_over)

    # For whoever reads.

    @property
    def has_ended(self) -> bool:
        """Whether no more output will come, though there may be some to read."""
        return self._state is not ReceiveState.OUTPUT

    def give_up(self) -> None:
        """Nothing more is wanted."""
        with self._changed:
            self._chunks.clear()
            self._state = ReceiveState.UNWANTED
            self._changed.notify_all()
        self.notify_watcher()

    def watch(self, sink: Sink, readable: Callable[[bool], None]) -> None:
        """See Channel."""
        with self._changed:
            self._sink, self._watcher = sink, readable
        self.notify_watcher()

    def read(self, timeout: float | None, sink: Sink | None) -> tuple[Chunk | None, int]:
        """The next output, or None for none, and how many bytes more the server may send. Both are nothing at the end.

        Raises TimeoutError.
        """
        with self._changed:
            self._sink = sink
            try:
                if not self._changed.wait_for(self._is_readable, timeout):
                    raise TimeoutError
            finally:
                self._sink = None
            chunk = self._chunks.take() if self._chunks else None
            credit = self._chunks.take_credit() if self._state is ReceiveState.OUTPUT else 0
            self._allowed += credit
            return chunk, credit

    def wait_for_status(self) -> int | None:
        """The status; None where none will come, or the connection ended before the output did."""
        with self._changed:
            self._changed.wait_for(lambda: self.status is not None or self._state not in TAKES_STATUS)
            return None if self._state is ReceiveState.LOST else self.status

    def _spend(self, size: int) -> None:
        self._allowed -= size
        if self._allowed < 0:
            raise Violation("it sent more output than allowed")

    def _stop(self, state: ReceiveState) -> None:
        with self._changed:
            self._state = state
            self._changed.notify_all()
        self.notify_watcher()

    def _shows_end(self) -> bool:
        """Whether all that there is to do until the status comes is to show the end of the output, and that is done."""
        if self._state is not ReceiveState.STATUS or self.status is not None or self._chunks or self._sink is None:
            return False
        self._end_shown = self._end_shown or self._sink(STDOUT, b"")
        return self._end_shown

    def _is_readable(self) -> bool:
        return bool(self._chunks) or self._chunks.credit_due or self._state is not ReceiveState.OUTPUT


class SendWindow:
    """Bytes that may be sent now. Empty until the far end opens it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()  # guards both below; notified when there is room, or will be none
        self._room = 0
        self._is_closed = False
        self._when_room: Callable[[], None] | None = None

    def widen(self, size: int) -> None:
        """The far end takes so many bytes more. Raises Violation."""
        with self._changed:
            self._room += size
            if self._room > WINDOW_LIMIT:
                raise Violation("it requested more input than a channel allows")
        self._tell()

    def close(self) -> None:
        """Nothing more is to be sent: wake whoever waits for room."""
        with self._changed:
            self._is_closed = True
        self._tell()

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()
            when_room, self._when_room = self._when_room, None
        if when_room:
            when_room()

    def reserve_now(self, limit: int, when_room: Callable[[], None]) -> int | None:
        """The room that there is: how many bytes to send, `limit` at most; None once it is closed.

        Where that is not enough, `when_room` is called, once, when there is more, or will be none.
        """
        with self._changed:
            if self._is_closed:
                return None
            size = min(limit, self._room)
            self._room -= size
            if size < limit:
                self._when_room = when_room
            return size

    def reserve(self, limit: int, timeout: float | None) -> int:
        """Wait for room: how many bytes to send, `limit` at most; 0 once it is closed. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._room > 0 or self._is_closed, timeout):
                raise TimeoutError
            size = 0 if self._is_closed else min(limit, self._room)
            self._room -= size
            return size

    def reserve_all(self, size: int) -> bool:
        """Take room for all of it, if it is there now: whether it was."""
        with self._changed:
            if self._is_closed or self._room < size:
                return False
            self._room -= size
            return True
