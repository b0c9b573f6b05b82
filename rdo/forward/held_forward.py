"""An established forward, whichever end listens: its owners, and its traffic."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from typing import NamedTuple

from rdo.config.forwards import Endpoint, Forward, ForwardKind
from rdo.forward.relay import Relay


class Traffic(NamedTuple):
    """The traffic of a forward: connections that are open, connections so far, and bytes."""

    open: int
    connections: int
    received: int
    sent: int


Failed = Callable[["HeldForward", str], None]
"""Takes the reason why a connection through a forward failed."""


class AutomaticOwner:
    """The owner of an automatic forward, which exists because a command listens. Equal to no other owner."""

    def __init__(self, process: str, pid: int) -> None:
        self.process = process
        self.pid = pid


class HeldForward(ABC):
    """An established forward. Its relays belong to their loop; figures for reports may be slightly out of date."""

    def __init__(self, forward: Forward, report: Failed) -> None:
        self.forward = forward
        self._report = report
        self.owners: set[Hashable] = set()
        """Who asked for the forward. Guarded by its TargetForwards."""
        self.started = time.time()
        self.failure = ""
        """Why the latest connection failed."""
        self.relays: dict[Relay, Callable[[], None]] = {}
        """The open relays, each with a function to call once it is over."""
        self._past = Traffic(0, 0, 0, 0)

    @property
    @abstractmethod
    def endpoint(self) -> Endpoint:
        """Where the forward listens."""

    @property
    @abstractmethod
    def moved(self) -> str:
        """Why it listens elsewhere than it was meant to; empty if it does not."""

    @property
    @abstractmethod
    def ended(self) -> bool:
        """Whether it has stopped listening without being asked to."""

    @abstractmethod
    def end(self) -> None:
        """Accept no more connections. Open ones continue, as with ssh(1)."""

    def serves(self, forward: Forward) -> bool:
        """Whether it is the same as the given forward, or does what that asks for: the same local port, and the same
        port of the target by any of its loopback addresses."""
        if self.forward == forward:
            return True
        are_local = self.forward.kind is forward.kind is ForwardKind.LOCAL
        if not (are_local and forward.exact and self.endpoint == forward.listen):
            return False
        there, wanted = self.forward.destination, forward.destination
        return there == wanted or (there.port == wanted.port > 0 and there.is_loopback and wanted.is_loopback)

    @property
    def traffic(self) -> Traffic:
        """The traffic so far."""
        relays = list(self.relays)
        return Traffic(
            len(relays),
            self._past.connections + len(relays),
            self._past.received + sum(relay.received for relay in relays),
            self._past.sent + sum(relay.sent for relay in relays),
        )

    def forget(self, relay: Relay) -> None:
        """Remove a relay that is over."""
        self.relays.pop(relay)()
        past = self._past
        self._past = Traffic(0, past.connections + 1, past.received + relay.received, past.sent + relay.sent)
        self.failure = relay.failure
        if relay.failure and not relay.was_open:
            self._report(self, relay.failure)

    def fail(self, why: str) -> None:
        """Note that a connection failed before it had a relay."""
        self._past = self._past._replace(connections=self._past.connections + 1)
        self.failure = why
        if why:
            self._report(self, why)
