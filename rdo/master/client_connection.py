"""The master's end of a control connection: frames in and out. No decisions."""

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
"""Four frames of what a pipe holds, which is what a client reads at a time."""

ROOM_IS_TOLD = sys.platform == "linux"
"""Only there is a Unix socket writable once three quarters of its buffer are free, and can be asked how full it is."""

WHOLE_SIZE = 256 * 1024
"""Bytes of a payload for which there is room once it is writable."""

SMALL_SIZE = 2 * 1024
"""Bytes of a payload that is sent without letting others run: most have fewer."""

LAST_WORD_SIZE = 8 * 1024
"""Bytes that are left free for an error."""

LAST_WORD_PATIENCE = 0.1
"""Seconds to wait for a thread that sends, before the connection is ended. On Linux none waits in the middle of a
frame."""


class ClientGone(CallerGone):
    """The client has gone away."""


class ClientConnection:
    """A control connection. Sending is safe from any thread; receiving belongs to one."""

    def __init__(self, connection: socket.socket, log_path: str = "") -> None:
        """`log_path`: the master's log, for the message about an unexpected error."""
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
        """Set when this side has ended it: the command is over, or is to be."""

    @property
    def peer(self) -> int:
        """The client's process id; 0 if it is unknown."""
        return peer.pid(self._connection) or 0

    def send(self, kind: bytes, payload: bytes | memoryview = b"") -> None:
        """Send a frame; wait while the client does not read. Raises ClientGone."""
        try:
            while not self._send_in_turn(kind, payload):
                self._await_room()
        except OSError:
            raise ClientGone from None

    def _send_in_turn(self, kind: bytes, payload: bytes | memoryview) -> bool:
        with self._sending:
            return self._send_whole(kind, payload)

    def offer(self, kind: bytes, payload: bytes | memoryview) -> bool:
        """Send a frame of WHOLE_SIZE at most if that needs no waiting: whether it was sent. Raises ClientGone."""
        if not ROOM_IS_TOLD or not self._sending.acquire(blocking=False):
            return False
        try:
            return self._send_whole(kind, payload)
        except OSError:
            raise ClientGone from None
        finally:
            self._sending.release()

    def _send_whole(self, kind: bytes, payload: bytes | memoryview) -> bool:
        """Send a frame, unless that would wait in the middle of it: whether it was sent. With the lock. Raises OSError.

        What cannot be known to have room is sent all the same.
        """
        size = len(payload)
        if (
            ROOM_IS_TOLD
            and size <= WHOLE_SIZE
            and not (brief_calls.has_room(self._connection) or self._is_room_for(size))
        ):
            return False
        if ROOM_IS_TOLD and size <= SMALL_SIZE:
            return self._send_small(protocol.frame(kind, bytes(payload)))
        sockets.send(self._connection, kind, payload)
        return True

    def _send_small(self, frame: bytes) -> bool:
        """Linux takes so little whole, or none of it."""
        try:
            return brief_calls.send(self._connection, frame) > 0
        except BlockingIOError:
            return False

    def _is_room_for(self, size: int) -> bool:
        """Whether what is on the way, and the kernel's own part of it, leave so much free.

        A connection with a time limit waits all the same: Python sees first that it is writable.
        """
        if self._connection.gettimeout() is not None:
            return False
        unread = int.from_bytes(fcntl.ioctl(self._connection, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
        return unread + size + size // 16 + LAST_WORD_SIZE <= self._capacity

    def _await_room(self) -> None:
        """Wait until there is some, or the connection has ended. Raises TimeoutError."""
        room = select.poll()  # one that waits has the other object of poll(2) for itself
        room.register(self._connection, select.POLLOUT)
        timeout = self._connection.gettimeout()
        if not room.poll(None if timeout is None else timeout * 1000):
            raise TimeoutError

    def fail(self, error: BaseException) -> None:
        """Send the error as the last frame, if the client is still there. An unexpected error is logged, too."""
        with contextlib.suppress(ClientGone):
            self.send(protocol.FAILED, protocol.encode_failure(self._shown(error)))

    def break_off(self, error: BaseException) -> None:
        """Send the error as the last frame, if that needs no waiting, and end the connection.

        A client that does not read meanwhile finds it after what is on the way.
        """
        failure = protocol.frame(protocol.FAILED, protocol.encode_failure(self._shown(error)))
        in_turn = self._sending.acquire(timeout=LAST_WORD_PATIENCE)
        try:
            if in_turn:
                with contextlib.suppress(OSError):  # the client has gone, or there is no room
                    self._connection.send(failure, socket.MSG_DONTWAIT)
            self._shut_down()
        finally:
            if in_turn:
                self._sending.release()  # only now: nothing may follow the last word

    def _shown(self, error: BaseException) -> RdoError:
        if isinstance(error, RdoError):
            return error
        log.crash(error)
        return log.explain_crash(error, self._log_path)

    @property
    def has_gone(self) -> bool:
        """Whether the client has ended the connection, and sent nothing before that is still to be received.

        From any thread, while another receives: one that waits has the other object of poll(2) for itself.
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
        """The next frame. Raises ClientGone, ProtocolError."""
        while not self._frames:
            self._receive_more()
        return self._frames.pop(0)

    def receive_within(self, timeout: float) -> protocol.Frame:
        """The next frame, if it comes within so many seconds. Raises ClientGone, ProtocolError."""
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
        """Wait so many seconds at most until something comes, if only the end."""
        if not self._frames:
            self._arrival.poll(timeout * 1000)

    def frames(self) -> Iterator[protocol.Frame]:
        """All frames to the end of the connection."""
        while True:
            try:
                yield self.receive()
            except ClientGone:
                return

    def close(self) -> None:
        """End the connection; a thread that waits in it wakes up."""
        self._shut_down()
        self._connection.close()

    def _shut_down(self) -> None:
        self.ended_here.set()
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
