"""A forward that listens on the target, for a server that this machine reaches. It ends with its connection."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial

from rdo.config.forwards import Endpoint, Forward
from rdo.drivers import endpoint_socket
from rdo.drivers.base import RemoteListener, Sink, TargetStream
from rdo.errors import SetupError, reason
from rdo.forward.held_forward import HeldForward
from rdo.forward.relay import Relay
from rdo.forward.relay_loop import RelayLoop
from rdo.pool.connection import IncomingLease
from rdo.util.workers import Workers

CONNECT_TIMEOUT = 30.0
"""Seconds to connect to a server, which need not be on this machine."""

Listen = Callable[[Endpoint, Callable[[IncomingLease], None]], RemoteListener]
"""Has the target listen. Raises SetupError, LinkLost."""


class RemoteForward(HeldForward):
    """See the module."""

    def __init__(self, forward: Forward, listen: Listen, loop: RelayLoop, workers: Workers) -> None:
        """Raises SetupError, LinkLost."""
        super().__init__(forward)
        self._loop = loop
        self._workers = workers
        self._listener = listen(forward.listen, self._accept)

    @property
    def endpoint(self) -> Endpoint:
        """See HeldForward."""
        return self._listener.endpoint

    @property
    def moved(self) -> str:
        """See HeldForward: a target does not choose, unless it is asked to."""
        return ""

    @property
    def ended(self) -> bool:
        """See HeldForward."""
        return self._listener.ended

    def end(self) -> None:
        """See HeldForward."""
        self._listener.close()

    def _accept(self, lease: IncomingLease) -> None:
        """By who receives from the target."""
        if not self._loop.run_soon(partial(self._begin, lease)):
            self._give_up(lease, "")

    def _begin(self, lease: IncomingLease) -> None:
        """Connect, in a thread that may wait."""
        self._loop.expected += 1
        try:
            self._workers.submit(partial(self._connect, lease))
        except SetupError as error:
            self._loop.expected -= 1
            self._give_up(lease, str(error))

    def _connect(self, lease: IncomingLease) -> None:
        try:
            connection = endpoint_socket.connect(self.forward.destination, CONNECT_TIMEOUT)
        except OSError as error:
            self._loop.run_soon(partial(self._failed, lease, reason(error)))
        else:
            self._loop.run_soon(partial(self._relay, lease, connection))

    def _failed(self, lease: IncomingLease, why: str) -> None:
        self._loop.expected -= 1
        self._give_up(lease, why)

    def _give_up(self, lease: IncomingLease, why: str) -> None:
        lease.stream.close()
        lease.release()
        self.fail(why)

    def _relay(self, lease: IncomingLease, connection: socket.socket) -> None:
        self._loop.expected -= 1
        relay = Relay(connection, self._loop, self.forget)
        self.relays[relay] = lease.release

        def begin(sink: Sink, changed: Callable[[], None]) -> TargetStream:
            lease.stream.begin(sink, changed)
            return lease.stream

        relay.start(begin)
