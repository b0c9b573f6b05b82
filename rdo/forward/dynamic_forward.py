"""A forward that listens here as a SOCKS proxy: each client names the server that it is for."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from enum import Enum

from rdo.config.forwards import Endpoint
from rdo.drivers.target_stream import Sink, TargetStream
from rdo.errors import LinkLost
from rdo.forward.local_forward import LocalForward, nothing
from rdo.forward.relay import Loop, Relay
from rdo.forward.socks import SocksError, SocksRequest

READ_SIZE = 4096

OpenTo = Callable[[Endpoint, Sink, Callable[[], None]], TargetStream]
"""Has the target connect to a server. Raises LinkLost."""


class _Stage(Enum):
    REQUEST = "the client has not said yet where to"
    CONNECTING = "the target has not said yet whether it is connected"
    DATA = "all else is as for other relays, or over"


class SocksRelay(Relay):
    """A connection whose local end names the destination by SOCKS."""

    def __init__(self, connection: socket.socket, loop: Loop, over: Callable[[Relay], None], open_to: OpenTo) -> None:
        super().__init__(connection, loop, over)
        self._open_to = open_to
        self._request = SocksRequest()
        self._stage = _Stage.REQUEST

    def begin(self) -> None:
        """Wait for the client's request."""
        try:
            self._read_request()
        except BaseException as error:
            self.abort(str(error))
            raise

    def advance(self) -> None:
        """See Relay."""
        if self._stage is _Stage.REQUEST:
            self._read_request()
        elif self._stage is _Stage.CONNECTING:
            self._look_whether_open()
        else:
            super().advance()

    def abort(self, why: str = "") -> None:
        """See Relay."""
        self._stage = _Stage.DATA
        super().abort(why)

    def _read_request(self) -> None:
        try:
            while self._request.destination is None:
                data = self._socket.recv(READ_SIZE)
                if not data:
                    self.abort()  # which is not a failure
                    return
                if answer := self._request.receive(data):
                    self._socket.sendall(answer)  # a few bytes, the first of all
        except BlockingIOError:
            self._loop.select(self._socket.fileno(), selectors.EVENT_READ, self)
        except SocksError as error:
            self._refuse(str(error), error.answer)
        except OSError as error:
            self.abort(str(error))
        else:
            self._connect(self._request.destination)

    def _connect(self, destination: Endpoint) -> None:
        self._loop.select(self._socket.fileno(), 0, self)
        self._up = memoryview(self._request.rest)
        # while this is not yet written, nothing from the server overtakes it
        self._down = memoryview(self._request.granted)
        self._stage = _Stage.CONNECTING
        try:
            self._stream = self._open_to(destination, self._sink, self._changed)
        except LinkLost as error:
            self._refuse(str(error), self._request.refused(str(error)))
        else:
            self._look_whether_open()

    def _look_whether_open(self) -> None:
        stream = self._stream
        if stream is None:
            return
        if stream.failure:
            self._refuse(stream.failure, self._request.refused(stream.failure))
        elif stream.is_open:
            self._stage = _Stage.DATA
            super().advance()

    def _refuse(self, why: str, answer: bytes) -> None:
        """Answer with the reason, and disconnect."""
        self._stage = _Stage.DATA
        self.failure = why
        self._close(answer)


class DynamicForward(LocalForward):
    """A forward that listens here as a SOCKS proxy."""

    def _accept(self, connection: socket.socket) -> None:
        def open_to(destination: Endpoint, sink: Sink, changed: Callable[[], None]) -> TargetStream:
            lease = self._opener(destination, sink, changed)
            self.relays[relay] = lease.release
            return lease.stream

        relay = SocksRelay(connection, self._loop, self.forget, open_to)
        self.relays[relay] = nothing
        relay.begin()
