"""A byte stream to the engine whose two directions end apart: a plain socket, or TLS over one. Knows no HTTP."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Protocol

from rdo.drivers.base import READ_SIZE

TLS_WRITE_SIZE = 64 * 1024
"""Bytes encrypted at a time, so that reading gets its turn."""


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

    def end_output(self) -> None:
        """Tell the other side that no more will come; it may still send. Raises OSError."""

    def close(self) -> None:
        """End both directions, and wake up whoever waits in one of them. May be called twice."""


class SocketStream:
    """A stream socket. `released` is called once it is closed."""

    def __init__(self, connection: socket.socket, released: Callable[[], None] = lambda: None) -> None:
        self._socket = connection
        self._released = released

    def receive(self, timeout: float | None = None) -> bytes:
        """See EngineStream."""
        if timeout is not None and not self._readable(timeout):
            raise TimeoutError
        try:
            return self._socket.recv(READ_SIZE)
        except OSError:
            return b""

    def _readable(self, timeout: float) -> bool:
        poll = select.poll()
        try:
            poll.register(self._socket, select.POLLIN)
        except ValueError:
            return True  # closed: reading says so
        return bool(poll.poll(max(0.0, timeout) * 1000))

    def send(self, data: bytes) -> None:
        """See EngineStream."""
        self._socket.sendall(data)

    def end_output(self) -> None:
        """See EngineStream."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """See EngineStream."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._released()


class TlsStream:
    """TLS over another wire. ssl's own socket can neither be used by two threads at a time nor end one direction."""

    def __init__(self, below: EngineStream, context: ssl.SSLContext, host: str, timeout: float) -> None:
        """Shakes hands. Raises OSError, of which ssl.SSLError is one, and TimeoutError."""
        self._below = below
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._state = threading.Lock()
        """Guards `_tls` and its buffers, `_decoded` and `_ended`; never held while waiting."""
        self._sending = threading.Lock()
        """Keeps the records in order; taken before `_state`."""
        self._decoded = b""
        self._ended = False
        while not self._shaken():
            self._below.send(self._outgoing.read())
            self._feed(self._below.receive(timeout))
        self._below.send(self._outgoing.read())

    def _shaken(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def receive(self, timeout: float | None = None) -> bytes:
        """See EngineStream."""
        while not (data := self._take()) and not self._ended:
            self._feed(self._below.receive(timeout))
        return data

    def _feed(self, data: bytes) -> None:
        with self._state:
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()

    def _take(self) -> bytes:
        with self._state:
            data, self._decoded = self._decoded + self._decrypt(), b""
            return data

    def _decrypt(self) -> bytes:
        pieces = []
        try:
            while data := self._tls.read(READ_SIZE):
                pieces.append(data)
            self._ended = True
        except ssl.SSLWantReadError:
            pass
        except OSError:
            self._ended = True
        return b"".join(pieces)

    def send(self, data: bytes) -> None:
        """See EngineStream."""
        view = memoryview(data)
        with self._sending:
            for start in range(0, len(view), TLS_WRITE_SIZE):
                with self._state:
                    self._tls.write(view[start : start + TLS_WRITE_SIZE])
                    records = self._outgoing.read()
                self._below.send(records)

    def end_output(self) -> None:
        """See EngineStream. The alert close_notify ends one direction only (RFC 8446, 6.1), as Go's servers know."""
        with self._sending:
            with self._state:
                self._decoded += self._decrypt()  # unwrap would take it for an error
                with contextlib.suppress(ssl.SSLError):
                    self._tls.unwrap()
                records = self._outgoing.read()
            self._below.send(records)

    def close(self) -> None:
        """See EngineStream."""
        self._below.close()
