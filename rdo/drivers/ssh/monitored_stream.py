"""The byte stream below an SSH connection, which notes each sign of life of the peer. Knows no SSH."""

from __future__ import annotations

import contextlib
import select
import socket
from typing import Protocol

from rdo.drivers.keepalive import SignOfLife
from rdo.drivers.right_of_way import RIGHT_OF_WAY, ConnectionTraffic
from rdo.util import brief_calls


class ByteStream(Protocol):
    """A stream that can carry SSH: a socket, or a channel through another host."""

    def send(self, data: bytes | memoryview, /) -> int: ...
    def recv(self, size: int, /) -> bytes: ...
    def settimeout(self, seconds: float | None, /) -> None: ...
    def close(self) -> None: ...


class MonitoredStream:
    """A socket that records when the peer was last heard from, and what it sent first."""

    OPENING = 256
    """Bytes to keep of what arrived first: enough to recognise what other than SSH is listening there."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._closed = False  # the attribute by which paramiko checks whether its thread may be left alone
        self.sign = SignOfLife()
        """When bytes arrived, or were accepted after a wait."""
        self._traffic = ConnectionTraffic(RIGHT_OF_WAY)
        self.opening = b""
        self.ended = False
        """Whether the peer has closed its side."""

    def send(self, data: bytes | memoryview) -> int:
        """Send as much as there is room for. Raises BlockingIOError or TimeoutError if there is none for a while."""
        self._traffic.sent(len(data))
        if isinstance(self._stream, socket.socket):
            return brief_calls.send(self._stream, data)
        return self._stream.send(data)

    @property
    def is_socket(self) -> bool:
        """Whether it can be found out if there is room."""
        return isinstance(self._stream, socket.socket)

    def takes_more(self) -> bool:
        """Whether a little can be sent without waiting, as far as that can be known. Raises OSError."""
        return isinstance(self._stream, socket.socket) and brief_calls.has_room(self._stream)

    def wait_for_room(self, timeout: float) -> None:
        """Wait at most so many seconds until something can be sent. Raises OSError if the stream is closed."""
        if isinstance(self._stream, socket.socket):
            room = select.poll()
            room.register(self._stream, select.POLLOUT)
            room.poll(timeout * 1000)

    def recv(self, size: int) -> bytes:
        room = bytearray(size)
        return bytes(room[: self.recv_into(memoryview(room))])

    def recv_into(self, room: memoryview) -> int:
        """Read what has arrived, as far as there is room, and return the number of bytes; 0 at the end."""
        self._traffic.rest()
        try:
            if isinstance(self._stream, socket.socket):
                count = self._stream.recv_into(room)
            else:
                data = self._stream.recv(len(room))
                count = len(data)
                room[:count] = data
        except ConnectionError:  # the peer went before it had read everything that was sent
            self.ended = True
            self.sign.end()
            raise
        self._note(room[:count])
        return count

    def settimeout(self, seconds: float | None) -> None:
        self._stream.settimeout(seconds)

    def close(self) -> None:
        """Close for good, and wake a thread that waits in `recv` or `send`, which close() alone would not do."""
        self._closed = True
        if isinstance(self._stream, socket.socket):
            with contextlib.suppress(OSError):
                self._stream.shutdown(socket.SHUT_RDWR)
        self._stream.close()

    def _note(self, data: bytes | memoryview) -> None:
        if not data:
            self.ended = True
            self.sign.end()
            return
        self.sign.note()
        self._traffic.received(len(data))
        if len(self.opening) < self.OPENING:
            self.opening = (self.opening + data)[: self.OPENING]
