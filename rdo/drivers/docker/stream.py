"""A byte stream to the engine whose two directions end apart: a plain socket, or what is like one. Knows no HTTP."""

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
    """The time by which all of an answer has to be there, in seconds from now; None: any time."""

    def __init__(self, timeout: float | None) -> None:
        self._end = None if timeout is None else time.monotonic() + timeout

    def left(self) -> float | None:
        """Seconds until then. Raises TimeoutError: a byte now and then does not extend it."""
        if self._end is None:
            return None
        if (left := self._end - time.monotonic()) <= 0:
            raise TimeoutError
        return left


class EngineStream(Protocol):
    """One thread may receive while another one sends."""

    def receive(self, timeout: float | None = None) -> bytes:
        """What comes next; empty at the end, or where the link broke. Raises TimeoutError after so many seconds."""

    def send(self, data: bytes) -> None:
        """Send all of it; wait while the other side does not take it. Raises OSError."""

    def send_now(self, data: memoryview) -> int:
        """Send what there is room for, without waiting: how many bytes. Raises OSError."""

    def fileno(self) -> int:
        """What to select on."""

    def end_output(self) -> None:
        """Tell the other side that no more will come; it may still send. Raises OSError."""

    def close(self) -> None:
        """End both directions, and wake up whoever waits in one of them. May be called twice."""


class HijackedStream(NamedTuple):
    """A connection that has become a stream, and the first bytes that came with the answer."""

    wire: EngineStream
    early: bytes


class SocketStream:
    """A stream socket. `released` is called once it is closed."""

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
            return True  # closed: reading says so
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
