"""A byte stream to the engine whose two directions end separately: a plain socket, or something similar. Knows no
HTTP."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from rdo.drivers.base import READ_SIZE
from rdo.drivers.right_of_way import RIGHT_OF_WAY, ConnectionTraffic


class Deadline:
    """The time by which an entire answer must have arrived, in seconds from now; None for no limit."""

    def __init__(self, timeout: float | None) -> None:
        self._end = None if timeout is None else time.monotonic() + timeout

    def left(self) -> float | None:
        """Seconds left. Raises TimeoutError if there are none: a byte now and then does not extend the time."""
        if self._end is None:
            return None
        if (left := self._end - time.monotonic()) <= 0:
            raise TimeoutError
        return left


class EngineStream(Protocol):
    """A byte stream. One thread may receive while another sends."""

    def receive(self, timeout: float | None = None) -> bytes:
        """The next data; empty at the end, or if the link broke. Raises TimeoutError after so many seconds."""

    def send(self, data: bytes) -> None:
        """Send all of the data, waiting while the other side does not read. Raises OSError."""

    def send_now(self, data: memoryview) -> int:
        """Send as much as there is room for, without waiting, and return the number of bytes. Raises OSError."""

    def fileno(self) -> int:
        """The descriptor to select on."""

    def end_output(self) -> None:
        """Signal that no more data will be sent; the other side may still send. Raises OSError."""

    def close(self) -> None:
        """End both directions, and wake a thread that waits in one. May be called twice."""


class HijackedStream(NamedTuple):
    """A connection that has become a stream, and the first bytes, which arrived with the answer."""

    wire: EngineStream
    early: bytes


class SocketStream:
    """A stream over a socket. `released` is called once it is closed."""

    def __init__(self, connection: socket.socket, released: Callable[[], None] = lambda: None) -> None:
        self._socket = connection
        self._released = released
        self._traffic = ConnectionTraffic(RIGHT_OF_WAY)

    def receive(self, timeout: float | None = None) -> bytes:
        """See EngineStream."""
        self._traffic.rest()
        if timeout is not None and not self._readable(timeout):
            raise TimeoutError
        try:
            data = self._socket.recv(READ_SIZE)
        except OSError:
            return b""
        self._traffic.received(len(data))
        return data

    def _readable(self, timeout: float) -> bool:
        poll = select.poll()
        try:
            poll.register(self._socket, select.POLLIN)
        except ValueError:
            return True  # closed: reading reports it
        return bool(poll.poll(max(0.0, timeout) * 1000))

    def send(self, data: bytes) -> None:
        """See EngineStream."""
        self._traffic.sent(len(data))
        self._socket.sendall(data)

    def send_now(self, data: memoryview) -> int:
        """See EngineStream."""
        self._traffic.sent(len(data))
        try:
            return self._socket.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    def fileno(self) -> int:
        """See EngineStream."""
        return self._socket.fileno()

    def end_output(self) -> None:
        """See EngineStream."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """See EngineStream."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._released()
