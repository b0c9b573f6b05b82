"""Whether a connection still lives: when a byte last came in, pings, and the thread that ends a silent connection.

Knows no SSH: the ping and the end are functions handed in.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from rdo.errors import SetupError
from rdo.util import threads


class KeepaliveTimeouts(NamedTuple):
    """How long a connection may be silent, all in seconds."""

    liveness: float = 15.0
    """Since the last byte, within which a connection counts as alive without asking."""
    ping_timeout: float = 3.0
    """For an idle connection to answer before a new command is given to it."""
    ping_interval: float = 5.0
    """Between pings while nothing is heard and commands run."""
    dead_after: float = 40.0
    """Of silence, pings unanswered, after which the connection is lost for running commands."""


KEEPALIVE_TIMEOUTS = KeepaliveTimeouts()

Clock = Callable[[], float]


class ByteStream(Protocol):
    """What can carry SSH: a socket, or a channel through another host."""

    def send(self, data: bytes | memoryview, /) -> int: ...
    def recv(self, size: int, /) -> bytes: ...
    def settimeout(self, seconds: float | None, /) -> None: ...
    def close(self) -> None: ...


class MonitoredStream:
    """A socket that knows when it was last heard from, and what it heard first."""

    OPENING = 256
    """Bytes kept of what came first: enough to say what else than SSH is listening there."""

    def __init__(self, stream: ByteStream, clock: Clock = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._closed = False  # by this name paramiko asks whether its thread may be left alone
        self.last_heard = clock()
        self.heard = threading.Event()
        self.opening = b""
        self.ended = False
        """Whether the peer has closed its side."""

    def send(self, data: bytes | memoryview) -> int:
        """Send what there is room for. Raises BlockingIOError or TimeoutError where that is nothing, for a while."""
        if isinstance(self._stream, socket.socket):
            return self._stream.send(data, socket.MSG_DONTWAIT)
        return self._stream.send(data)

    def wait_for_room(self, timeout: float) -> None:
        """Wait, so many seconds at most, until something can be sent. Raises OSError where it is closed."""
        if isinstance(self._stream, socket.socket):
            room = select.poll()
            room.register(self._stream, select.POLLOUT)
            room.poll(timeout * 1000)

    def recv(self, size: int) -> bytes:
        room = bytearray(size)
        return bytes(room[: self.recv_into(memoryview(room))])

    def recv_into(self, room: memoryview) -> int:
        """Read what there is, as far as there is room: how many bytes; 0 at the end."""
        try:
            if isinstance(self._stream, socket.socket):
                count = self._stream.recv_into(room)
            else:
                data = self._stream.recv(len(room))
                count = len(data)
                room[:count] = data
        except ConnectionError:  # it went before it had read all that we sent
            self.ended = True
            raise
        self._note(room[:count])
        return count

    def settimeout(self, seconds: float | None) -> None:
        self._stream.settimeout(seconds)

    def close(self) -> None:
        """Close for good, and wake a thread that waits in `recv` or `send`: close() alone would leave it there."""
        self._closed = True
        if isinstance(self._stream, socket.socket):
            with contextlib.suppress(OSError):
                self._stream.shutdown(socket.SHUT_RDWR)
        self._stream.close()

    def _note(self, data: bytes | memoryview) -> None:
        if not data:
            self.ended = True
            return
        self.last_heard = self._clock()
        if len(self.opening) < self.OPENING:
            self.opening = (self.opening + data)[: self.OPENING]
        if not self.heard.is_set():
            self.heard.set()


class Keepalive:
    """Watches one connection. `ping` asks the peer for a sign of life, `kill` ends it: both are called in threads."""

    def __init__(
        self,
        stream: MonitoredStream,
        ping: Callable[[], None],
        kill: Callable[[], None],
        timeouts: KeepaliveTimeouts = KEEPALIVE_TIMEOUTS,
        clock: Clock = time.monotonic,
    ) -> None:
        self._stream = stream
        self._ping = ping
        self._kill = kill
        self._timeouts = timeouts
        self._clock = clock
        self._pinging = threading.Lock()  # held while a ping is sent: one at a time
        self._changed = threading.Condition()  # guards what follows; notified when there is something to watch, or not
        self._users = 0
        self._since = clock()
        self._ended = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch. Raises SetupError."""
        self._thread = threads.start(self._watch, name="rdo-keepalive")

    def stop(self) -> None:
        """End the watching thread."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def join(self, timeout: float) -> None:
        """Wait for the watching thread to be gone."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def acquire(self) -> None:
        """Something uses the connection from now on: silence is fatal."""
        with self._changed:
            self._users += 1
            if self._users == 1:
                self._since = self._clock()
                self._changed.notify_all()

    def release(self) -> None:
        """The counterpart of `acquire`."""
        with self._changed:
            self._users -= 1

    def is_alive(self) -> bool:
        """Whether the peer was heard from within `liveness`, or answers a ping within `ping_deadline`."""
        if self._ended:
            return False
        if self._clock() - self._stream.last_heard < self._timeouts.liveness:
            return True
        self._stream.heard.clear()
        self._start_ping()
        return self._stream.heard.wait(self._timeouts.ping_timeout) and not self._ended

    def _start_ping(self) -> None:
        """In a thread of its own: on a dead connection the socket's buffer may be full, and sending blocks."""
        if self._pinging.acquire(blocking=False):
            try:
                threads.start(self._ping_once, name="rdo-ping")
            except SetupError:  # the next look tries again
                self._pinging.release()

    def _ping_once(self) -> None:
        try:
            with contextlib.suppress(Exception):  # a dead connection is found by its silence
                self._ping()
        finally:
            self._pinging.release()

    def _watch(self) -> None:
        with self._changed:
            while not self._ended:
                if self._users == 0:
                    self._changed.wait()
                    continue
                if not self._check():
                    break
        if not self._ended:
            self._kill()

    def _check(self) -> bool:
        """Wait until there is something to do again; False when the connection is dead."""
        silence = self._clock() - max(self._stream.last_heard, self._since)
        if silence >= self._timeouts.dead_after:
            return False
        if silence >= self._timeouts.liveness:
            self._start_ping()
            self._changed.wait(min(self._timeouts.ping_interval, self._timeouts.dead_after - silence))
        else:
            self._changed.wait(self._timeouts.liveness - silence)
        return True
