"""The receiving side of an SSH channel (RFC 4254, section 5.2): passes a program's output, its end and the exit status
from the transport's thread to the reader. Knows no messages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum

from rdo.drivers.base import STDOUT, Chunk
from rdo.drivers.chunk_queue import ChunkQueue
from rdo.drivers.ssh.fields import Violation
from rdo.drivers.target_stream import Sink


class ReceiveState(Enum):
    """What may still arrive."""

    OUTPUT = "output, its end, and a status"
    STATUS = "a status: the output has ended"
    NOTHING = "nothing: all has come that was to come"
    UNWANTED = "nothing: we gave it up"
    LOST = "nothing: the connection ended before the output did"


TAKES_STATUS = (ReceiveState.OUTPUT, ReceiveState.STATUS)
COMPLETE = (ReceiveState.STATUS, ReceiveState.NOTHING)
"""States in which the end of the output has arrived."""


class ReceiveBuffer:
    """See `read` and `watch` of Channel in rdo.drivers.base."""

    def __init__(self, acknowledge: int, window: int) -> None:
        """`window` is the number of bytes that may arrive before anything is read. `acknowledge` is the number that
        must have been read before it is worth granting the server credit for as many more."""
        # Guards this object; taken directly, which is cheaper than through the condition. Held while `_sink` is called,
        # which therefore must not wait.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)  # notified when there is something to read, or the status
        self._state = ReceiveState.OUTPUT
        self._chunks = ChunkQueue(acknowledge)
        self._allowed = window
        self._sink: Sink | None = None
        self._watcher: Callable[[bool], None] | None = None
        self._end_shown = False
        """Whether the sink has taken the end of the output."""
        self.status: int | None = None
        """The program's exit status, once it has arrived."""

    # For the transport's thread

    def put(self, stream: int, data: bytes | memoryview) -> None:
        """Add output. Raises Violation if it exceeds the server's credit."""
        with self._lock:
            if self._state is not ReceiveState.OUTPUT or not data:
                return
            self._spend(len(data))
            if not (self._sink and not self._chunks and self._sink(stream, data)):
                self._chunks.put(stream, data)
            elif not self._chunks.count_consumed(len(data)):
                return
            self._changed.notify_all()
        self.notify_watcher()

    def discard(self, size: int) -> None:
        """Count bytes that are not output as read."""
        with self._lock:
            self._spend(size)
            if self._chunks.count_consumed(size):
                self._changed.notify_all()

    def put_status(self, status: int) -> None:
        """Note the exit status; output may still arrive. A second status is ignored."""
        with self._lock:
            if self.status is None and self._state in TAKES_STATUS:
                self.status = status
            if self._state in COMPLETE:  # otherwise the reader has nothing to do yet
                self._changed.notify_all()

    def end(self) -> None:
        """Note the end of output. A status may follow, so the watcher is called by the next `notify_watcher`."""
        with self._lock:
            if self._state is ReceiveState.OUTPUT:
                self._state = ReceiveState.STATUS
            self._changed.notify_all()

    def close(self) -> None:
        """Note that nothing more will arrive, since the server has closed the channel."""
        self._stop(ReceiveState.NOTHING)

    def lose(self) -> None:
        """Note that nothing more will arrive, since the connection has ended. What ended before is complete."""
        self._stop(ReceiveState.NOTHING if self._state in COMPLETE else ReceiveState.LOST)

    def notify_watcher(self) -> None:
        """Call the watcher if somebody has to read."""
        if self._watcher is None:
            return
        with self._lock:
            watcher = self._watcher
            if watcher is None or not self._is_readable() or self._shows_end():
                return
            self._watcher = self._sink = None
            is_over = self.status is not None and self._state in COMPLETE and not self._chunks
        watcher(is_over)

    # For the reader

    @property
    def has_ended(self) -> bool:
        """Whether no more output will arrive, although there may be some to read."""
        return self._state is not ReceiveState.OUTPUT

    def give_up(self) -> None:
        """Discard everything from now on."""
        with self._lock:
            self._chunks.clear()
            self._state = ReceiveState.UNWANTED
            self._changed.notify_all()
        self.notify_watcher()

    def watch(self, sink: Sink, readable: Callable[[bool], None]) -> None:
        """See Channel."""
        with self._lock:
            self._sink, self._watcher = sink, readable
        self.notify_watcher()

    def read(self, timeout: float | None, sink: Sink | None) -> tuple[Chunk | None, int]:
        """The next output, if any, and how many more bytes the server may send. Both are empty at the end.

        Raises TimeoutError.
        """
        with self._lock:
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
        """The exit status; None if there will be none, or the connection ended before the output did."""
        with self._lock:
            self._changed.wait_for(lambda: self.status is not None or self._state not in TAKES_STATUS)
            return None if self._state is ReceiveState.LOST else self.status

    def _spend(self, size: int) -> None:
        self._allowed -= size
        if self._allowed < 0:
            raise Violation("it sent more output than allowed")

    def _stop(self, state: ReceiveState) -> None:
        with self._lock:
            self._state = state
            self._changed.notify_all()
        self.notify_watcher()

    def _shows_end(self) -> bool:
        """Whether the only thing to do before the status arrives is to pass on the end of the output, and that is
        done."""
        if self._state is not ReceiveState.STATUS or self.status is not None or self._chunks or self._sink is None:
            return False
        self._end_shown = self._end_shown or self._sink(STDOUT, b"")
        return self._end_shown

    def _is_readable(self) -> bool:
        return bool(self._chunks) or self._chunks.credit_due or self._state is not ReceiveState.OUTPUT
