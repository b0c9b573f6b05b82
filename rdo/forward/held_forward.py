"""One forward that is held, whichever end listens: for whom, and what goes through it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from typing import NamedTuple

from rdo.config.forwards import Endpoint, Forward, ForwardKind
from rdo.forward.relay import Relay


class Traffic(NamedTuple):
    """What went through a forward: connections that are open now and that were in all, and bytes."""

    open: int
    connections: int
    received: int
    sent: int


Failed = Callable[["HeldForward", str], None]
"""Takes why a connection through a forward came to nothing."""


class ByItself:
    """The owner of a forward that a command has because it listens. Equal to no other."""

    def __init__(self, process: str, pid: int) -> None:
        self.process = process
        self.pid = pid


class HeldForward(ABC):
    """See the module. The relays belong to their loop; what is only shown may be a moment old."""

    def __init__(self, forward: Forward, report: Failed) -> None:
        self.forward = forward
        self._report = report
        self.owners: set[Hashable] = set()
        """Who asked for it; guarded by its holder."""
        self.started = time.time()
        self.failure = ""
        """Why the latest connection could not be made."""
        self.relays: dict[Relay, Callable[[], None]] = {}
        """With what is to be called once each is over."""
        self._past = Traffic(0, 0, 0, 0)

    @property
    @abstractmethod
    def endpoint(self) -> Endpoint:
        """Where it listens."""

    @property
    @abstractmethod
    def moved(self) -> str:
        """Why that is not where it was meant to be, or empty."""

    @property
    @abstractmethod
    def ended(self) -> bool:
        """Whether it listens no more, without having been asked to end."""

    @abstractmethod
    def end(self) -> None:
        """Accept no more connections; those that are open go on, as with ssh(1)."""

    def serves(self, forward: Forward) -> bool:
        """Whether that is the same, or asks for just what there is: the port here, and whatever the target calls its
        own machine there.
        """
        if self.forward == forward:
            return True
        are_local = self.forward.kind is forward.kind is ForwardKind.LOCAL
        if not (are_local and forward.exact and self.endpoint == forward.listen):
            return False
        there, wanted = self.forward.destination, forward.destination
        return there == wanted or (there.port == wanted.port > 0 and there.is_loopback and wanted.is_loopback)

    @property
    def traffic(self) -> Traffic:
        """Until now."""
        relays = list(self.relays)
        return Traffic(
            len(relays),
            self._past.connections + len(relays),
            self._past.received + sum(relay.received for relay in relays),
            self._past.sent + sum(relay.sent for relay in relays),
        )

    def forget(self, relay: Relay) -> None:
        """It is over."""
        self.relays.pop(relay)()
        past = self._past
        self._past = Traffic(0, past.connections + 1, past.received + relay.received, past.sent + relay.sent)
        self.failure = relay.failure
        if relay.failure and not relay.was_open:
            self._report(self, relay.failure)

    def fail(self, why: str) -> None:
        """A connection came to nothing before it had a relay."""
        self._past = self._past._replace(connections=self._past.connections + 1)
        self.failure = why
        if why:
            self._report(self, why)
