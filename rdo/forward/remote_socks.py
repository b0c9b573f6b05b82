"""The SOCKS request of a client on the target, which names the server that this machine should connect to."""

from __future__ import annotations

from collections.abc import Callable

from rdo.config.forwards import Endpoint
from rdo.drivers.target_stream import refuse_data
from rdo.forward.relay_loop import RelayLoop
from rdo.forward.socks import SocksError, SocksRequest
from rdo.pool.connection import IncomingLease

FORBIDDEN = "your ssh configuration forbids it (PermitRemoteOpen)"


class RemoteSocks:
    """A client that is sending its request. Used by the loop, except for `_changed`. Ends by calling either `found` or
    `failed`, with itself, and calls neither again."""

    def __init__(
        self,
        lease: IncomingLease,
        loop: RelayLoop,
        permitted: tuple[Endpoint, ...] | None,
        found: Callable[[RemoteSocks, Endpoint], None],
        failed: Callable[[RemoteSocks, str], None],
    ) -> None:
        self.lease = lease
        self.request = SocksRequest()
        self._loop = loop
        self._permitted = permitted
        self._found = found
        self._failed = failed
        self._is_over = False

    def begin(self) -> None:
        """Wait for the request."""
        self.lease.stream.begin(refuse_data, self._changed)
        self._advance()

    def refuse(self, why: str) -> None:
        """Answer that no connection could be made."""
        self._answer(self.request.refused(why))

    def end(self) -> None:
        """Stop waiting for the request."""
        if not self._is_over:
            self._fail("")

    def _changed(self) -> None:
        self._loop.run_soon(self._advance)

    def _advance(self) -> None:
        while not self._is_over:
            data = self.lease.stream.read()
            if data is None:
                self._fail(self.lease.stream.failure)  # empty if the client hung up
            elif not data:
                return
            else:
                self._receive(bytes(data))

    def _receive(self, data: bytes) -> None:
        try:
            self._answer(self.request.receive(data))
        except SocksError as error:
            self._answer(error.answer)
            self._fail(str(error))
            return
        destination = self.request.destination
        if destination is None:
            return
        if not _is_permitted(destination, self._permitted):
            self.refuse(FORBIDDEN)
            self._fail(FORBIDDEN)
            return
        self._is_over = True
        self._found(self, destination)

    def _answer(self, answer: bytes) -> None:
        if answer:  # a few bytes, which there is room for
            self.lease.stream.write(memoryview(answer))
            self.lease.stream.flush()

    def _fail(self, why: str) -> None:
        self._is_over = True
        self._failed(self, why)


def _is_permitted(destination: Endpoint, permitted: tuple[Endpoint, ...] | None) -> bool:
    if permitted is None:
        return True
    return any(each.host in ("*", destination.host) and each.port in (0, destination.port) for each in permitted)
