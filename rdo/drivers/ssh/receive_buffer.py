"""What comes in over one SSH channel: the program's output, its end and its status; from the thread that serves the
link to whoever reads. Knows no messages.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from rdo.drivers.base import Chunk, Sink
from rdo.drivers.chunk_queue import ChunkQueue
from rdo.drivers.ssh.fields import Violation


class ReceiveBuffer:
    """See `read` and `watch` of Channel in rdo.drivers.base."""

    def __init__(self, acknowledge: int, window: int) -> None:
        """`window`: bytes that may come before anything is read. `acknowledge`: bytes read, before the server is to be
        told that it may send as many more.
        """
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._chunks = ChunkQueue(acknowledge)
        self._allowed = window
        self._sink: Sink | None = None
        self._watcher: Callable[[bool], None] | None = None
        self._ended = False
        self._closed = False
        self._broken = False
        self.status: int | None = None
        """Of the program, once it has come."""

    # For who receives.

    def arrive(self, stream: int, data: bytes | memoryview) -> None:
        """So much output. Raises Violation where it is more than the server was told that may come."""
        with self._lock:
            if self._closed or self._ended or not data:
                return
            self._allowed -= len(data)
            if self._allowed < 0:
                raise Violation("it sent more output than it was allowed to")
            if self._sink and not self._chunks and self._sink(stream, data):
                self._chunks.pass_by(len(data))
            else:
                self._chunks.put(stream, data)
            if self._readable():
                self._changed.notify_all()
        self.notify_watcher()

    def discard(self, size: int) -> None:
        """So many bytes came that are no output; they count as read."""
        with self._lock:
            self._allowed -= size
            if self._allowed < 0:
                raise Violation("it sent more output than it was allowed to")
            self._chunks.pass_by(size)
            if self._readable():
                self._changed.notify_all()

    def arrive_status(self, status: int) -> None:
        """The program has ended; its output may not have."""
        with self._lock:
            if self.status is None and not self._closed:  # a second one says nothing
                self.status = status
            if self._ended:  # who reads has nothing to do yet
                self._changed.notify_all()

    def end(self) -> None:
        """No more output will come. A status may be next, so who watches is told by the next `tell_watcher`."""
        with self._lock:
            self._ended = True
            self._changed.notify_all()

    def close(self, *, ended: bool = False, broken: bool = False, wanted: bool = True) -> None:
        """Nothing more will come: both streams have `ended`, the connection is `broken`, or nothing is `wanted`."""
        with self._lock:
            self._closed = True
            self._ended = self._ended or ended
            self._broken = self._broken or broken
            if not wanted:
                self._chunks.clear()
            self._changed.notify_all()
        self.notify_watcher()

    def notify_watcher(self) -> None:
        """Tell who watches as soon as somebody has to read."""
        if self._watcher is None:
            return
        with self._lock:
            watcher = self._watcher
            if watcher is None or not self._readable():
                return
            self._watcher = self._sink = None
            over = self.status is not None and self._ended and not (self._chunks or self._broken)
        watcher(over)

    # For who reads.

    def watch(self, sink: Sink, readable: Callable[[bool], None]) -> None:
        """See Channel."""
        with self._lock:
            self._sink, self._watcher = sink, readable
        self.notify_watcher()

    def read(self, timeout: float | None, sink: Sink | None) -> tuple[Chunk | None, int]:
        """The next output, or None for none, and how many bytes more the server may send. Both are nothing at the end.

        Raises TimeoutError.
        """
        with self._lock:
            self._wait_until_readable(timeout, sink)
            chunk = self._chunks.take() if self._chunks else None
            owed = 0 if self._ended or self._closed else self._chunks.owed()
            self._allowed += owed
            return chunk, owed

    def wait_for_status(self) -> int | None:
        """The status; None where none will come, or the connection broke before the output had ended."""
        with self._lock:
            self._changed.wait_for(lambda: self.status is not None or self._closed)
            return None if self._broken and not self._ended else self.status

    def _wait_until_readable(self, timeout: float | None, sink: Sink | None) -> None:
        self._sink = sink
        try:
            if not self._changed.wait_for(self._readable, timeout):
                raise TimeoutError
        finally:
            self._sink = None

    def _readable(self) -> bool:
        return bool(self._chunks) or self._chunks.owes or self._ended or self._closed
