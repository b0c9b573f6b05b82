"""The forwards of one target, held while somebody needs them, even if the connection is lost and made again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from rdo.config.forwards import Endpoint, Forward, ForwardKind, ForwardSet
from rdo.drivers.target_stream import Sink
from rdo.errors import LinkLost, SetupError
from rdo.forward.dynamic_forward import DynamicForward
from rdo.forward.failure_report import FailureReport
from rdo.forward.forward_words import route
from rdo.forward.held_forward import AutomaticOwner, HeldForward
from rdo.forward.listener import listen
from rdo.forward.local_forward import LocalForward
from rdo.forward.relay_loop import RelayLoop
from rdo.forward.remote_forward import RemoteForward
from rdo.pool.connection import HeldConnection, StreamLease
from rdo.pool.target_pool import TargetPool
from rdo.util import log
from rdo.util.threads import Workers


class ConfiguredAttempt(NamedTuple):
    """Forwards that were started together: over which connections, and those that end with such a connection."""

    connections: frozenset[HeldConnection]
    remote: Sequence[HeldForward] = ()

    def counts(self, pool: TargetPool) -> bool:
        """Whether nothing has to be started again, since a connection is still the same."""
        return not self.connections.isdisjoint(pool.shells.connections) and not any(each.ended for each in self.remote)


class TargetForwards:
    """The forwards of one target. Thread-safe."""

    def __init__(self, pool: TargetPool) -> None:
        self.pool = pool
        """The latest pool of the target, which is another one after a reconnect."""
        self.is_watched = False
        """Whether `when_closing` of the pool is set."""
        self.configured: dict[ForwardSet, ConfiguredAttempt] = {}
        """The latest attempt to hold the forwards in the target's own configuration."""
        self._lock = threading.Lock()
        """Guards everything below, and the owners of each forward."""
        self._held: list[HeldForward] = []
        self._loop: RelayLoop | None = None
        self._workers = Workers("reverse")
        self._log = FailureReport(_logged)

    def use_pool(self, pool: TargetPool) -> None:
        """Use this pool, which is the latest."""
        self.pool, self.is_watched = pool, True

    @property
    def held(self) -> list[HeldForward]:
        """The forwards that listen."""
        return [held for held in list(self._held) if not held.ended]

    def hold(
        self, owner: Hashable, forward: Forward, connection: HeldConnection | None = None
    ) -> tuple[HeldForward, bool]:
        """Hold a forward for the owner, and return it and whether it is new. `connection` is the one to listen over, if
        the forward listens on the target. Raises SetupError."""
        with self._lock:
            for held in self._held:
                if held.serves(forward) and not held.ended:
                    held.owners.add(owner)
                    return held, False
            try:
                if not isinstance(owner, AutomaticOwner):
                    self._evict_automatic(forward)
                held = self._begin(forward, connection)
                held.owners.add(owner)
                self._held.append(held)
            finally:
                self._end_unwanted()
            return held, True

    def _evict_automatic(self, forward: Forward) -> None:
        """End an automatic forward that occupies the port which somebody asks for."""
        for held in self._held:
            is_same = held.endpoint.port == forward.listen.port and held.forward.kind is ForwardKind.LOCAL
            if is_same and all(isinstance(each, AutomaticOwner) for each in held.owners):
                held.owners.clear()
        self._end_unwanted()

    def drop(self, owner: Hashable, kept: Iterable[Forward] = ()) -> None:
        """Drop all forwards of the owner but these."""
        kept = set(kept)
        with self._lock:
            for held in self._held:
                if held.forward not in kept:
                    held.owners.discard(owner)
            self._end_unwanted()

    def end(self, chosen: Callable[[HeldForward], bool] = lambda held: True) -> int:
        """End the chosen forwards, whoever asked for them, and return how many."""
        with self._lock:
            found = [held for held in self._held if chosen(held)]
            for held in found:
                held.owners.clear()
            self._end_unwanted()
            return len(found)

    def _begin(self, forward: Forward, connection: HeldConnection | None) -> HeldForward:
        """Start a forward. Raises SetupError."""
        if self._loop is None:
            loop = RelayLoop()
            loop.start()
            self._loop = loop
        if forward.kind is ForwardKind.REMOTE:
            return self._begin_there(forward, connection, self._loop)
        kind = DynamicForward if forward.kind is ForwardKind.DYNAMIC else LocalForward
        return kind(forward, listen(forward.listen, exact=forward.exact), self._open, self._loop, self._failed)

    def _begin_there(self, forward: Forward, connection: HeldConnection | None, loop: RelayLoop) -> HeldForward:
        try:
            return RemoteForward(forward, partial(self.pool.listen, connection), loop, self._workers, self._failed)
        except LinkLost as error:
            raise SetupError(f"`{self.pool.target.name}` does not listen on `{forward.listen}`", str(error)) from None

    def _end_unwanted(self) -> None:
        """End forwards without owners. Call with the lock held."""
        for held in self._held:
            if not held.owners and not held.ended:
                held.end()
        self._held = [held for held in self._held if held.owners and not held.ended]
        if self._loop is not None and not self._held:
            self._loop.end_when_idle()
            self._loop = None

    def _open(self, destination: Endpoint, sink: Sink, changed: Callable[[], None]) -> StreamLease:
        return self.pool.open_stream(destination, sink, changed)

    def _failed(self, held: HeldForward, why: str) -> None:
        """Report a failed connection to the commands that asked for the forward, or else to the log."""
        line = f"no connection by {route(held, self.pool.target.name)}: {why}"
        reports = [owner for owner in list(held.owners) if isinstance(owner, FailureReport)]
        if not any([report.report(line) for report in reports]):
            self._log.report(line)


def _logged(line: str) -> bool:
    log.event(line)
    return True
