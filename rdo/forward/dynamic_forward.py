"""A forward that listens here as a SOCKS proxy: each client says which server it is for."""

from __future__ import annotations

import socket
from collections.abc import Callable

from rdo.config.forwards import Endpoint
from rdo.drivers.target_stream import Sink, TargetStream
from rdo.forward.local_forward import LocalForward, nothing
from rdo.forward.socks_relay import SocksRelay


class DynamicForward(LocalForward):
    """See the module."""

    def _accept(self, connection: socket.socket) -> None:
        def open_to(destination: Endpoint, sink: Sink, changed: Callable[[], None]) -> TargetStream:
            lease = self._opener(destination, sink, changed)
            self.relays[relay] = lease.release
            return lease.stream

        relay = SocksRelay(connection, self._loop, self.forget, open_to)
        self.relays[relay] = nothing
        relay.begin()
