"""One forwarded connection: bytes both ways between a socket here and a stream of the target.

All is done by the thread of one RelayLoop, and nothing in it waits. Only data that just came from the target is written
here by whoever received it, as long as the reader here keeps up.
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
"""The value of SO_LINGER by which close() resets a connection."""


class Loop(Protocol):
    """What a relay needs of the loop that drives it."""

    room: memoryview
    """For what is read, until that is passed on."""
    relays: set[Relay]
    """Those that are open."""
    unflushed: set[Callable[[], None]]
    """What to call, once, when all that can be done now is done."""

    def wake(self, relay: Relay) -> None:
        """Have `advance` called soon, from any thread."""

    def select(self, fileno: int, events: int, relay: Relay) -> None:
        """Call `advance` when these are possible: none to wait for nothing. Forgets what was selected before."""


class Relay:
    """See the module. `over` is called once, at the end, before whoever is connected here sees it."""

    def __init__(self, connection: socket.socket, loop: Loop, over: Callable[[Relay], None]) -> None:
        connection.setblocking(False)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._loop = loop
        self._over = over
        self._stream: TargetStream | None = None
        self._up = memoryview(b"")
        """Read here, and not yet taken there."""
        self._down = memoryview(b"")
        """Come from there, and not yet taken here."""
        self._up_ended = self._input_ended = False
        """Whether no more comes from here, and whether the target knows."""
        self._down_ended = self._end_shown = False
        """Whether no more comes from there, and whether the near side knows."""
        self._is_broken = False
        self._is_armed = False
        """Whether the stream had nothing to read, and has not called since."""
        self._is_reading = False
        """Whether what is waited for here is just that something comes."""
        self._sunk = 0
        self.sent = 0
        """Bytes to the target."""
        self._received = 0
        self.failure = ""
        self.was_open = False
        """Whether the far side had been reached, once it is over."""
        loop.relays.add(self)

    @property
    def received(self) -> int:
        """Bytes from the target."""
        return self._sunk + self._received

    def begin_with(self, up: bytes, down: bytes) -> None:
        """What goes first to the target, and from it. Before `start`."""
        self._up, self._down = memoryview(up), memoryview(down)

    def start(self, open_stream: Callable[[Sink, Callable[[], None]], TargetStream]) -> None:
        """Open the far side. Where that cannot be, the connection is reset."""
        try:
            self._stream = open_stream(self._sink, self._changed)
        except BaseException as error:
            self.abort(str(error))
            if isinstance(error, LinkLost):
                return
            raise
        self.advance()

    def abort(self, why: str = "") -> None:
        """End it at once: whoever is connected here sees a reset, and no end that could be taken for a whole answer."""
        self.failure = self.failure or why
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        self._close()

    def advance(self) -> None:
        """Do all that can be done now."""
        stream = self._stream
        if stream is None:
            return
        try:
            if self._down or not self._is_armed:
                self._pull(stream)
            self._push(stream)
        except OSError:  # the near side is gone
            self._is_broken = True
        if self._is_armed and self._is_reading and not (self._up or self._up_ended or self._down or self._is_broken):
            return  # the stream has nothing to say, and what is waited for is the same
        if self._is_broken or stream.failure:
            self.abort(stream.failure)
        elif self._down_ended and (self._input_ended or stream.ended) and not self._down:
            self._close()
        else:
            self._select(stream)

    def _changed(self) -> None:
        """See TargetStream: from any thread."""
        self._is_armed = False
        self._loop.wake(self)

    def _sink(self, stream: int, data: bytes | memoryview) -> bool:
        """Write what has just come, unless earlier data still waits. See Sink."""
        if self._down or not data:  # an empty piece is the end, of which `read` tells
            return False
        self._sunk += len(data)
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
        """From there to here."""
        left = TURN_LIMIT
        while left > 0:
            if not self._is_flushed() or self._is_armed:
                return
            if self._down_ended:
                if not self._end_shown and not stream.failure:
                    self._end_shown = True
                    self._socket.shutdown(socket.SHUT_WR)
                return
            self._is_armed = stream.fileno() < 0  # before it reads: it may be called at once
            data = stream.read()
            self._down_ended = data is None
            if data == b"":
                return
            self._is_armed = False
            if data:
                # Now the sink is not called any more; just before, it may have left something.
                self._down = memoryview(b"".join((self._down, data))) if self._down else memoryview(data)
                self._received += len(data)
                left -= len(data)
        self._loop.wake(self)

    def _is_flushed(self) -> bool:
        """Write what waits, as far as there is room: whether nothing waits any more."""
        while self._down:
            try:
                rest = self._down[self._socket.send(self._down) :]
            except BlockingIOError:
                return False
            self._down = rest  # last, once it is written: from then on the sink may write, too
        return True

    def _push(self, stream: TargetStream) -> None:
        """From here to there."""
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
        """Read what there is here, and pass it on as far as there is room: whether there may be more to do."""
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
        """Wait for what may go on next."""
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
        """`last`: what the near side is still told."""
        stream, self._stream = self._stream, None
        self._loop.select(self._socket.fileno(), 0, self)
        if stream is not None:
            self.was_open = stream.is_open
            if (there := stream.fileno()) >= 0:
                self._loop.select(there, 0, self)
            stream.close()  # first: after it, nobody writes to the socket
        self._loop.relays.discard(self)
        try:
            self._over(self)  # before the near side sees the end: whoever asks then why, is told
        finally:
            with self._socket, contextlib.suppress(OSError):
                if last:
                    self._socket.sendall(last)
