"""The master's end of a control connection: sends and receives frames. This module decides nothing."""

from __future__ import annotations

import contextlib
import fcntl
import select
import socket
import sys
import termios
import threading
import time
from collections.abc import Iterator

from rdo.drivers.caller import CallerGone
from rdo.errors import RdoError
from rdo.ipc import peercred as peer
from rdo.ipc import protocol, sockets
from rdo.util import brief_calls, log

READ_SIZE = 4 * (64 * 1024 + protocol.HEADER_SIZE)
"""Four frames of as much as a pipe holds, which is what a client reads at a time."""

REPORTS_ROOM = sys.platform == "linux"
"""Only on Linux does poll(2) report room when three quarters of a Unix socket's buffer are free, and can the socket be
asked how full it is."""

WHOLE_SIZE = 256 * 1024
"""Bytes of a payload that fits whenever poll(2) reports room."""

SMALL_SIZE = 2 * 1024
"""Bytes of a payload that is sent without releasing the interpreter lock; most payloads are smaller."""

LAST_FRAME_SIZE = 8 * 1024
"""Bytes that are left free for an error."""

LAST_FRAME_TIMEOUT = 0.1
"""Seconds to wait for a sending thread before the connection is ended. On Linux no thread waits in the middle of a
frame."""


class ClientGone(CallerGone):
    """The client has disconnected."""


class ClientConnection:
    """A control connection. Any thread may send; only one may receive."""

    def __init__(self, connection: socket.socket, log_path: str = "") -> None:
        """`log_path` is the master's log, for messages about unexpected errors."""
        self._connection = connection
        self._log_path = log_path
        self._decoder = protocol.Decoder()
        self._frames: list[protocol.Frame] = []
        self._sending = threading.Lock()
        """Guards the order of frames: one is sent at a time."""
        self._capacity = connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        self._arrival = select.poll()
        self._arrival.register(connection, select.POLLIN)
        self.ended_here = threading.Event()
        """Set when this side has ended the connection, because the command is over or should be."""

    @property
    def peer(self) -> int:
        """The client's process id; 0 if it is unknown."""
        return peer.pid(self._connection) or 0

    def send(self, kind: bytes, payload: bytes | memoryview = b"") -> None:
        """Send a frame, waiting while the client does not read. Raises ClientGone."""
        try:
            while not self._send_in_turn(kind, payload):
                self._await_room()
        except OSError:
            raise ClientGone from None

    def _send_in_turn(self, kind: bytes, payload: bytes | memoryview) -> bool:
        with self._sending:
            return self._send_whole(kind, payload)

    def offer(self, kind: bytes, payload: bytes | memoryview) -> bool:
        """Send a frame of up to WHOLE_SIZE bytes if that needs no waiting, and return whether it was sent. Raises
        ClientGone."""
        if not REPORTS_ROOM or not self._sending.acquire(blocking=False):
            return False
        try:
            return self._send_whole(kind, payload)
        except OSError:
            raise ClientGone from None
        finally:
            self._sending.release()

    def _send_whole(self, kind: bytes, payload: bytes | memoryview) -> bool:
        """Send a frame unless that would have to wait in the middle of it, and return whether it was sent. Call with
        the lock held. Raises OSError.

        If it cannot be known whether there is room, the frame is sent.
        """
        size = len(payload)
        if (
            REPORTS_ROOM
            and size <= WHOLE_SIZE
            and not (brief_calls.has_room(self._connection) or self._is_room_for(size))
        ):
            return False
        if REPORTS_ROOM and size <= SMALL_SIZE:
            return self._send_small(protocol.frame(kind, bytes(payload)))
        sockets.send(self._connection, kind, payload)
        return True

    def _send_small(self, frame: bytes) -> bool:
        """Send a small frame, which Linux accepts as a whole or not at all."""
        try:
            return brief_calls.send(self._connection, frame) > 0
        except BlockingIOError:
            return False

    def _is_room_for(self, size: int) -> bool:
        """Whether the unread data, and the kernel's overhead for it, leave this much room.

        A connection with a timeout waits all the same, since Python first checks that it is writable.
        """
        if self._connection.gettimeout() is not None:
            return False
        unread = int.from_bytes(fcntl.ioctl(self._connection, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
        return unread + size + size // 16 + LAST_FRAME_SIZE <= self._capacity

    def _await_room(self) -> None:
        """Wait until there is room, or the connection has ended. Raises TimeoutError."""
        room = select.poll()  # a poll object of its own, since another thread may be waiting in the other
        room.register(self._connection, select.POLLOUT)
        timeout = self._connection.gettimeout()
        if not room.poll(None if timeout is None else timeout * 1000):
            raise TimeoutError

    def fail(self, error: BaseException) -> None:
        """Send the error as the last frame, if the client is still connected. An unexpected error is logged, too."""
        with contextlib.suppress(ClientGone):
            self.send(protocol.FAILED, protocol.encode_failure(self._shown(error)))

    def break_off(self, error: BaseException) -> None:
        """Send the error as the last frame if that needs no waiting, and end the connection.

        A client that is not reading at the moment will find it after what was sent before.
        """
        failure = protocol.frame(protocol.FAILED, protocol.encode_failure(self._shown(error)))
        in_turn = self._sending.acquire(timeout=LAST_FRAME_TIMEOUT)
        try:
            if in_turn:
                with contextlib.suppress(OSError):  # the client has disconnected, or there is no room
                    self._connection.send(failure, socket.MSG_DONTWAIT)
            self._shut_down()
        finally:
            if in_turn:
                self._sending.release()  # not earlier: nothing may follow the last frame

    def _shown(self, error: BaseException) -> RdoError:
        if isinstance(error, RdoError):
            return error
        log.crash(error)
        return log.explain_crash(error, self._log_path)

    @property
    def has_gone(self) -> bool:
        """Whether the client has ended the connection, and everything it sent before that was received.

        May be called from any thread while another one receives, since it has a poll object of its own.
        """
        arrival = select.poll()
        try:
            arrival.register(self._connection, select.POLLIN)
            return bool(arrival.poll(0)) and not self._connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def receive(self) -> protocol.Frame:
        """Receive a frame. Raises ClientGone, ProtocolError."""
        while not self._frames:
            self._receive_more()
        return self._frames.pop(0)

    def receive_within(self, timeout: float) -> protocol.Frame:
        """Receive a frame if one arrives within so many seconds. Raises ClientGone, ProtocolError."""
        deadline = time.monotonic() + timeout
        while not self._frames:
            if not self._arrival.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise ClientGone
            self._receive_more()
        return self._frames.pop(0)

    def _receive_more(self) -> None:
        try:
            data = self._connection.recv(READ_SIZE)
        except OSError:
            data = b""
        if not data:
            raise ClientGone
        self._frames = self._decoder.receive(data)

    def await_frame(self, timeout: float) -> None:
        """Wait at most so many seconds until something arrives, which may be the end."""
        if not self._frames:
            self._arrival.poll(timeout * 1000)

    def frames(self) -> Iterator[protocol.Frame]:
        """All frames up to the end of the connection."""
        while True:
            try:
                yield self.receive()
            except ClientGone:
                return

    def close(self) -> None:
        """End the connection, and wake a thread that waits in it."""
        self._shut_down()
        self._connection.close()

    def _shut_down(self) -> None:
        self.ended_here.set()
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
