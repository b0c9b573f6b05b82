"""A forward that listens here, for a server that the target connects to."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial

from rdo.config.forwards import Endpoint, Forward
from rdo.drivers.target_stream import Sink, TargetStream
from rdo.forward.held_forward import Failed, HeldForward
from rdo.forward.listener import Listener
from rdo.forward.relay import Relay
from rdo.forward.relay_loop import RelayLoop
from rdo.pool.connection import StreamLease

Opener = Callable[[Endpoint, Sink, Callable[[], None]], StreamLease]
"""Has the target connect to a server. Raises LinkLost."""


class LocalForward(HeldForward):
    """A forward that listens here, for a server that the target connects to."""

    def __init__(self, forward: Forward, listener: Listener, opener: Opener, loop: RelayLoop, failed: Failed) -> None:
        super().__init__(forward, failed)
        self._listener = listener
        self._opener = opener
        self._loop = loop
        for listening in listener.sockets:
            loop.run_soon(partial(loop.listen, listening, self._accept))

    @property
    def endpoint(self) -> Endpoint:
        """See HeldForward."""
        return self._listener.endpoint

    @property
    def moved(self) -> str:
        """See HeldForward."""
        return self._listener.moved

    @property
    def ended(self) -> bool:
        """See HeldForward. Always false, whatever happens to the connection to the target."""
        return False

    def end(self) -> None:
        """See HeldForward."""
        self._listener.remove()
        self._loop.run_soon(self._leave)

    def _leave(self) -> None:
        for listening in self._listener.sockets:
            self._loop.leave(listening)

    def _accept(self, connection: socket.socket) -> None:
        relay = Relay(connection, self._loop, self.forget)
        self.relays[relay] = nothing

        def open_stream(sink: Sink, changed: Callable[[], None]) -> TargetStream:
            lease = self._opener(self.forward.destination, sink, changed)
            self.relays[relay] = lease.release
            return lease.stream

        relay.start(open_stream)


def nothing() -> None:
    """Stands in for closing a stream that was never opened."""
