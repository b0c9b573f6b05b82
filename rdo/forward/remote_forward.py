"""A forward that listens on the target, for a server that this machine connects to. It ends with its connection."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial

from rdo.config.forwards import Endpoint, Forward
from rdo.drivers import endpoint_socket
from rdo.drivers.target_stream import RemoteListener, Sink, TargetStream
from rdo.errors import SetupError, reason
from rdo.forward.held_forward import Failed, HeldForward
from rdo.forward.relay import Relay
from rdo.forward.relay_loop import RelayLoop
from rdo.forward.remote_socks import RemoteSocks
from rdo.pool.connection import IncomingLease
from rdo.util import log
from rdo.util.threads import Workers

CONNECT_TIMEOUT = 30.0
"""Seconds to connect to a server, which need not be on this machine."""

Listen = Callable[[Endpoint, Callable[[IncomingLease], None]], RemoteListener]
"""Has the target listen. Raises SetupError, LinkLost."""


class RemoteForward(HeldForward):
    """A forward that listens on the target, for a server that this machine connects to."""

    def __init__(self, forward: Forward, listen: Listen, loop: RelayLoop, workers: Workers, failed: Failed) -> None:
        """Raises SetupError, LinkLost."""
        super().__init__(forward, failed)
        self._loop = loop
        self._workers = workers
        self._socks_clients: set[RemoteSocks] = set()
        """SOCKS clients that have not named a destination yet."""
        self._listener = listen(forward.listen, self._accept)

    @property
    def endpoint(self) -> Endpoint:
        """See HeldForward."""
        return self._listener.endpoint

    @property
    def moved(self) -> str:
        """See HeldForward. A target does not choose another port unless it is asked to."""
        return ""

    @property
    def ended(self) -> bool:
        """See HeldForward."""
        return self._listener.ended

    def end(self) -> None:
        """See HeldForward."""
        self._listener.close()
        self._loop.run_soon(self._end_socks_clients)

    def _end_socks_clients(self) -> None:
        for each in list(self._socks_clients):
            each.end()

    def _accept(self, lease: IncomingLease) -> None:
        """Called by the thread that receives from the target."""
        if not self._loop.run_soon(partial(self._begin, lease)):
            self._give_up(lease, "")

    def _begin(self, lease: IncomingLease) -> None:
        if not self.forward.is_proxy:
            self._connect_soon(lease, self.forward.destination, None)
            return
        client = RemoteSocks(lease, self._loop, self.forward.permitted, self._found, self._not_found)
        self._socks_clients.add(client)
        client.begin()

    def _found(self, client: RemoteSocks, destination: Endpoint) -> None:
        self._socks_clients.discard(client)
        self._connect_soon(client.lease, destination, client)

    def _not_found(self, client: RemoteSocks, why: str) -> None:
        self._socks_clients.discard(client)
        self._give_up(client.lease, why)

    def _connect_soon(self, lease: IncomingLease, destination: Endpoint, client: RemoteSocks | None) -> None:
        """Connect, in a thread that may wait."""
        self._loop.expected += 1
        try:
            self._workers.submit(partial(self._connect, lease, destination, client))
        except SetupError as error:
            self._failed(lease, client, str(error))

    def _connect(self, lease: IncomingLease, destination: Endpoint, client: RemoteSocks | None) -> None:
        try:
            connection = endpoint_socket.connect(destination, CONNECT_TIMEOUT)
        except (OSError, UnicodeError) as error:  # a name may not be encodable at all
            self._loop.run_soon(partial(self._failed, lease, client, reason(error)))
        except BaseException as error:
            self._loop.run_soon(partial(self._failed, lease, client, log.words(error)))
            raise
        else:
            self._loop.run_soon(partial(self._relay, lease, client, connection))

    def _failed(self, lease: IncomingLease, client: RemoteSocks | None, why: str) -> None:
        self._loop.expected -= 1
        if client is not None:
            client.refuse(why)
        self._give_up(lease, why)

    def _give_up(self, lease: IncomingLease, why: str) -> None:
        try:
            self.fail(why)  # before the target sees the end, so that the reason is known to whoever asks
        finally:
            lease.stream.close()
            lease.release()

    def _relay(self, lease: IncomingLease, client: RemoteSocks | None, connection: socket.socket) -> None:
        self._loop.expected -= 1
        relay = Relay(connection, self._loop, self.forget)
        if client is not None:
            relay.set_first_data(client.request.granted, client.request.rest)
        self.relays[relay] = lease.release

        def begin(sink: Sink, changed: Callable[[], None]) -> TargetStream:
            lease.stream.begin(sink, changed)
            return lease.stream

        relay.start(begin)
