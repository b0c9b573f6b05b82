"""Connections to control masters, and sending frames over them."""

from __future__ import annotations

import _socket
import _thread
import os
import sys
import time

from rdo.errors import SetupError, reason
from rdo.ipc import protocol
from rdo.ipc.address import RUNTIME_DIR_HINT
from rdo.ipc.request import Request, encode_request

ACCEPT_TIMEOUT = 3.0
"""Seconds for a master to accept a connection, and then a request. It does both before anything slow, so that one that
stays silent is wedged."""

RETRY_INTERVAL = 0.02
"""Seconds between attempts to connect while the master's accept queue is full."""

PEER_CREDENTIALS = (_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12) if hasattr(_socket, "SO_PEERCRED") else (0, 1, 128)
"""The getsockopt(2) option for peer credentials whose second 32 bits are a uid: struct ucred, or struct xucred of
LOCAL_PEERCRED."""

SO_NWRITE = 0x1024
"""The getsockopt(2) option on macOS for the number of bytes that were sent and not yet read."""

Socket = _socket.socket

Identity = tuple[int, int] | None
"""Which socket is at a path; None if there is none."""


class Piped:
    """A payload that is not in this process's memory; see splice.py."""

    __slots__ = ()

    def __len__(self) -> int:
        raise NotImplementedError

    def send(self, connection: Socket) -> None:
        """Send the payload. Raises OSError."""
        raise NotImplementedError


def connect(path: str) -> Socket | None:
    """Connect to the master that listens at `path`; None if none does, or it is wedged. Raises SetupError.

    Connecting takes at most ACCEPT_TIMEOUT, as does each later call on the connection.
    """
    connection = Socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    connection.settimeout(ACCEPT_TIMEOUT)
    try:
        if _try_connect(connection, path):
            _check_peer(connection, path)
            return connection
        connection.close()
        return None
    except SetupError:
        connection.close()
        raise
    except OSError as error:
        connection.close()
        why = f"`{path}`: {reason(error)}"
        raise SetupError("cannot reach the control master", why, "see `rdoctl doctor`") from None


def _check_peer(connection: Socket, path: str) -> None:
    """Make sure that the listener is this user or root: nothing is sent to anybody else. Raises SetupError, OSError."""
    credentials = connection.getsockopt(*PEER_CREDENTIALS)
    uid = int.from_bytes(credentials[4:8], sys.byteorder)
    if uid not in (os.geteuid(), 0):
        raise SetupError(f"the control socket `{path}` belongs to another user", f"uid {uid}", RUNTIME_DIR_HINT)


def _try_connect(connection: Socket, path: str) -> bool:
    """Connect, and return whether a master listens and accepts in time. Raises OSError."""
    deadline = time.monotonic() + ACCEPT_TIMEOUT
    while True:
        try:
            connection.connect(path)
            return True
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(RETRY_INTERVAL)


def is_unread(connection: Socket) -> bool:
    """Whether the peer has not yet read everything that was sent."""
    if hasattr(_socket, "SO_PEERCRED"):  # Linux
        import fcntl
        import termios

        return fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)) != bytes(4)  # the same as SIOCOUTQ
    return connection.getsockopt(_socket.SOL_SOCKET, SO_NWRITE) > 0


def identity(path: str) -> Identity:
    """Identifies the socket at `path`, to distinguish a new one from an old one."""
    try:
        info = os.stat(path)
    except OSError:
        return None
    return info.st_ino, info.st_mtime_ns


def send(connection: Socket, kind: bytes, payload: bytes | memoryview = b"") -> None:
    """Send one complete frame without copying its payload. Raises OSError."""
    head = protocol.header(kind, len(payload))
    sent = connection.sendmsg((head, payload))
    if sent < len(head):
        connection.sendall(head[sent:])
    if sent < len(head) + len(payload):
        connection.sendall(memoryview(payload)[max(0, sent - len(head)) :])


def ask(connection: Socket, request: Request) -> None:
    """Send a request. An error shows when the answer is read."""
    try:
        send(connection, protocol.RUN, encode_request(request))
    except OSError:
        pass


class Outbox:
    """Sends frames from several threads. The thread that holds the lock sends for all, so that none waits for one with
    much to send."""

    __slots__ = ("_connection", "_frames", "_sending")

    def __init__(self, connection: Socket) -> None:
        self._connection = connection
        self._frames: list[tuple[bytes, bytes | Piped]] = []
        self._sending = _thread.allocate_lock()  # guards the order of bytes on the connection

    def send(self, kind: bytes, payload: bytes | Piped = b"") -> None:
        """Send a frame, or leave it to whoever is sending."""
        self._frames.append((kind, payload))
        while self._frames and self._sending.acquire(False):
            try:
                while self._frames:
                    kind, payload = self._frames.pop(0)
                    if isinstance(payload, bytes):
                        send(self._connection, kind, payload)
                    else:
                        self._connection.sendall(protocol.header(kind, len(payload)))
                        payload.send(self._connection)
            except OSError:
                self._frames.clear()  # the main thread notices the end of the connection, and reports it
            finally:
                self._sending.release()
