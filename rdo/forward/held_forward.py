"""One forward that is held: what listens here, for whom, and what goes through it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Hashable
from functools import partial
from typing import NamedTuple

from rdo.config.forwards import Forward
from rdo.drivers.base import Sink, TargetStream
from rdo.forward.listener import Listener
from rdo.forward.relay import Relay
from rdo.forward.relay_loop import RelayLoop
from rdo.pool.connection import StreamLease

Opener = Callable[[Sink, Callable[[], None]], StreamLease]
"""Has the target connect to the forward's destination. Raises LinkLost."""


class Traffic(NamedTuple):
    """What went through a forward: connections that are open now and that were in all, and bytes."""

    open: int
    connections: int
    received: int
    sent: int


class HeldForward:
    """See the module. All but `owners` belongs to the loop; what is only shown may be a moment old."""

    def __init__(self, forward: Forward, listener: Listener, opener: Opener, loop: RelayLoop) -> None:
        self.forward = forward
        self.listener = listener
        self.owners: set[Hashable] = set()
        """Who wants it; guarded by who holds it."""
        self.started = time.time()
        self.failure = ""
        """Why the latest connection could not be made."""
        self._opener = opener
        self._loop = loop
        self._relays: dict[Relay, Callable[[], None]] = {}
        self._past = Traffic(0, 0, 0, 0)
        for listening in listener.sockets:
            loop.run_soon(partial(loop.listen, listening, self._accept))

    @property
    def traffic(self) -> Traffic:
        """Until now."""
        relays = list(self._relays)
        return Traffic(
            len(relays),
            self._past.connections + len(relays),
            self._past.received + sum(relay.received for relay in relays),
            self._past.sent + sum(relay.sent for relay in relays),
        )

    @property
    def is_used(self) -> bool:
        """Whether a connection is open."""
        return bool(self._relays)

    def end(self) -> None:
        """Accept no more connections; those that are open go on, as with ssh(1)."""
        self.listener.remove()
        self._loop.run_soon(self._leave)

    def _leave(self) -> None:
        for listening in self.listener.sockets:
            self._loop.leave(listening)

    def _accept(self, connection: socket.socket) -> None:
        relay = Relay(connection, self._loop, self._forget)
        self._relays[relay] = _nothing

        def open_stream(sink: Sink, changed: Callable[[], None]) -> TargetStream:
            lease = self._opener(sink, changed)
            self._relays[relay] = lease.release
            return lease.stream

        relay.start(open_stream)

    def _forget(self, relay: Relay) -> None:
        self._relays.pop(relay)()
        past = self._past
        self._past = Traffic(0, past.connections + 1, past.received + relay.received, past.sent + relay.sent)
        self.failure = relay.failure


def _nothing() -> None:
    """In place of a stream that was never opened."""
