"""One forwarded connection, which relays bytes in both directions between a local socket and a stream of the target.

Everything is done by the thread of one RelayLoop, and nothing in it waits. There is one exception: data that has just
arrived from the target is written to the local socket by the thread that received it, as long as the local reader keeps
up.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
from collections.abc import Callable
from typing import Protocol

from rdo.drivers.target_stream import Sink, TargetStream
from rdo.errors import LinkLost
from rdo.util import brief_calls

TURN_LIMIT = 1024 * 1024
"""Bytes for one connection before the others have their turn."""

ABORT = struct.pack("ii", 1, 0)
"""The value of SO_LINGER with which close() resets a connection."""


class Loop(Protocol):
    """What a relay needs of the loop that drives it."""

    room: memoryview
    """A buffer for data that is read, until that is passed on."""
    relays: set[Relay]
    """The open relays."""
    unflushed: set[Callable[[], None]]
    """Functions to call once everything that can be done now is done."""

    def wake(self, relay: Relay) -> None:
        """Call the relay's `advance` soon. Thread-safe."""

    def select(self, fileno: int, events: int, relay: Relay) -> None:
        """Call the relay's `advance` when one of these events is possible; no events to wait for nothing. Replaces
        earlier events."""


class Relay:
    """A forwarded connection. `over` is called once, at the end, before the local side can see the end."""

    def __init__(self, connection: socket.socket, loop: Loop, over: Callable[[Relay], None]) -> None:
        connection.setblocking(False)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._loop = loop
        self._over = over
        self._stream: TargetStream | None = None
        self._up = memoryview(b"")
        """Data read from the local side and not yet taken by the target."""
        self._down = memoryview(b"")
        """Data from the target and not yet taken by the local side."""
        self._up_ended = self._input_ended = False
        """Whether no more data comes from the local side, and whether the target knows."""
        self._down_ended = self._end_shown = False
        """Whether no more data comes from the target, and whether the local side knows."""
        self._is_broken = False
        self._is_armed = False
        """Whether the stream had nothing to read, and has not called `changed` since."""
        self._is_reading = False
        """Whether the relay waits for nothing but data from the local side."""
        self._sunk_bytes = 0
        self.sent = 0
        """Bytes sent to the target."""
        self._read_bytes = 0
        self.failure = ""
        self.was_open = False
        """After the end, whether the far side had been reached."""
        loop.relays.add(self)

    @property
    def received(self) -> int:
        """Bytes received from the target."""
        return self._sunk_bytes + self._read_bytes

    def set_first_data(self, up: bytes, down: bytes) -> None:
        """Set the first data in each direction. Call before `start`."""
        self._up, self._down = memoryview(up), memoryview(down)

    def start(self, open_stream: Callable[[Sink, Callable[[], None]], TargetStream]) -> None:
        """Open the stream to the far side. If that fails, the connection is reset."""
        try:
            self._stream = open_stream(self._sink, self._changed)
        except BaseException as error:
            self.abort(str(error))
            if isinstance(error, LinkLost):
                return
            raise
        self.advance()

    def abort(self, why: str = "") -> None:
        """End the connection at once by a reset, so that the local side cannot mistake the end for that of a complete
        answer."""
        self.failure = self.failure or why
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        self._close()

    def advance(self) -> None:
        """Do everything that can be done now."""
        stream = self._stream
        if stream is None:
            return
        try:
            if self._down or not self._is_armed:
                self._pull(stream)
            self._push(stream)
        except OSError:  # the local side is gone
            self._is_broken = True
        if self._is_armed and self._is_reading and not (self._up or self._up_ended or self._down or self._is_broken):
            return  # the stream has nothing new, and the relay waits for the same as before
        if self._is_broken or stream.failure:
            self.abort(stream.failure)
        elif self._down_ended and (self._input_ended or stream.ended) and not self._down:
            self._close()
        else:
            self._select(stream)

    def _changed(self) -> None:
        """See TargetStream. Called from any thread."""
        self._is_armed = False
        self._loop.wake(self)

    def _sink(self, stream: int, data: bytes | memoryview) -> bool:
        """Write data that has just arrived, unless earlier data is still waiting. See Sink."""
        if self._down or not data:  # an empty piece is the end, which `read` reports
            return False
        self._sunk_bytes += len(data)
        try:
            size = brief_calls.send(self._socket, data)
        except BlockingIOError:
            size = 0
        except OSError:
            self._is_broken = True
            self._loop.wake(self)
            return True
        if size < len(data):
            self._down = memoryview(bytes(data[size:]))
            self._loop.wake(self)
        return True

    def _pull(self, stream: TargetStream) -> None:
        """Relay from the target to the local side."""
        left = TURN_LIMIT
        while left > 0:
            if not self._is_flushed() or self._is_armed:
                return
            if self._down_ended:
                if not self._end_shown and not stream.failure:
                    self._end_shown = True
                    self._socket.shutdown(socket.SHUT_WR)
                return
            self._is_armed = stream.fileno() < 0  # before reading, since the callback may come at once
            data = stream.read()
            self._down_ended = data is None
            if data == b"":
                return
            self._is_armed = False
            if data:
                # The sink is not called from here on, but may have left something just before.
                self._down = memoryview(b"".join((self._down, data))) if self._down else memoryview(data)
                self._read_bytes += len(data)
                left -= len(data)
        self._loop.wake(self)

    def _is_flushed(self) -> bool:
        """Write the waiting data as far as there is room, and return whether none is left."""
        while self._down:
            try:
                rest = self._down[self._socket.send(self._down) :]
            except BlockingIOError:
                return False
            self._down = rest  # only after writing, since from then on the sink may write, too
        return True

    def _push(self, stream: TargetStream) -> None:
        """Relay from the local side to the target."""
        left = TURN_LIMIT
        self._loop.unflushed.add(stream.flush)
        while left > 0:
            if self._up:
                size = stream.write(self._up)
                self._up = self._up[size:]
                self.sent += size
                left -= size
                if self._up:
                    return
            if self._up_ended:
                self._input_ended = self._input_ended or stream.end_input()
                return
            if not self._fill(stream):
                return
        self._loop.wake(self)

    def _fill(self, stream: TargetStream) -> bool:
        """Read from the local side and pass it on, as far as there is room. Returns whether there may be more to do."""
        try:
            size = self._socket.recv_into(self._loop.room)
        except BlockingIOError:
            return False
        if not size:
            self._up_ended = True
            return True
        taken = stream.write(self._loop.room[:size])
        self.sent += taken
        if taken < size:
            self._up = memoryview(bytes(self._loop.room[taken:size]))
        return taken == size == len(self._loop.room)

    def _select(self, stream: TargetStream) -> None:
        """Wait for whatever may allow to continue."""
        events = 0 if self._up or self._up_ended else selectors.EVENT_READ
        if self._down:
            events |= selectors.EVENT_WRITE
        self._is_reading = events == selectors.EVENT_READ
        self._loop.select(self._socket.fileno(), events, self)
        if (there := stream.fileno()) >= 0:
            events = 0 if self._down or self._down_ended else selectors.EVENT_READ
            if self._up or (self._up_ended and not self._input_ended):
                events |= selectors.EVENT_WRITE
            self._loop.select(there, events, self)

    def _close(self, last: bytes = b"") -> None:
        """Close both sides; `last` is sent to the local side before."""
        stream, self._stream = self._stream, None
        self._loop.select(self._socket.fileno(), 0, self)
        if stream is not None:
            self.was_open = stream.is_open
            if (there := stream.fileno()) >= 0:
                self._loop.select(there, 0, self)
            stream.close()  # first, so that no other thread writes to the socket after it is closed
        self._loop.relays.discard(self)
        try:
            self._over(self)  # before the local side sees the end, so that the reason is known to whoever asks
        finally:
            with self._socket, contextlib.suppress(OSError):
                if last:
                    self._socket.sendall(last)
