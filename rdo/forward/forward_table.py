"""All forwards of a control master: those of profiles, of single commands, and of `rdoctl forward`.

They belong to a target and outlive its connections: forwards that are lost with a connection return at the same port
with the next one.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple
from weakref import WeakKeyDictionary

from rdo.config.forwards import Endpoint, Forward, ForwardKind, ForwardSet
from rdo.errors import SetupError
from rdo.forward import configured_forwards
from rdo.forward.failure_report import FailureReport
from rdo.forward.forward_words import configured_route, description, moved_line, route
from rdo.forward.held_forward import HeldForward
from rdo.forward.port_watch import PortWatch
from rdo.forward.target_forwards import TargetForwards
from rdo.forward.watched_ports import WatchedPorts
from rdo.pool.connection import HeldConnection
from rdo.pool.target_pool import SPENT, PoolUser, TargetPool

Report = Callable[[str], None]
"""Prints a line on the caller's stderr."""

MANUAL_OWNER = "rdoctl forward add"
"""The owner of forwards that were added with `rdoctl forward add`."""

SOCKET_NAME_LIMIT = 24
"""Bytes of a socket's name that are taken from the name on the target, since its whole path has to fit into 103."""


class ProfileForwards(NamedTuple):
    """What a profile last asked for, and on which pool."""

    forwards: Sequence[Forward]
    pool: TargetPool
    complete: bool
    """Whether all of them could be held."""
    failures: Sequence[str] = ()

    def serves(self, forwards: Sequence[Forward], pool: TargetPool) -> bool:
        """Whether a command that asks for these forwards on that pool has everything already.

        Callers with different agents have different pools to the same place, for which the first one's forwards are
        good enough.
        """
        if not self.complete or self.forwards != forwards:
            return False
        is_over = self.pool.is_spent or self.pool.end_reason
        same_place = self.pool.target.name == pool.target.name and not is_over
        return self.pool is pool or same_place


class ForwardTable:
    """All forwards of a control master. Thread-safe."""

    def __init__(self, directory: str) -> None:
        """`directory` is a private directory for sockets."""
        self._directory = directory
        self._lock = threading.Lock()
        """Guards everything below; held while a forward starts to listen."""
        self._targets: dict[Hashable, TargetForwards] = {}
        self._profiles: dict[PoolUser, ProfileForwards] = {}
        self._watches: WeakKeyDictionary[TargetPool, PortWatch] = WeakKeyDictionary()

    @property
    def targets(self) -> list[TargetForwards]:
        """The targets that have forwards."""
        with self._lock:
            targets = list(self._targets.values())
        return [target for target in targets if target.held]

    def hold_for_profile(self, pool: TargetPool, user: PoolUser, forwards: Sequence[Forward], report: Report) -> None:
        """Hold exactly these forwards for a profile, for as long as the target is connected. Failures are reported, but
        each only once."""
        before = self._profiles.get(user)
        if before is None and not forwards:
            return
        if before is not None and before.serves(forwards, pool):
            return
        with self._lock:
            target = self._of(pool)
            for other in self._targets.values():
                if other is not target:
                    other.drop(user)  # a profile has one target at a time, which now needs the port
            target.drop(user, [self._placed(each, pool) for each in forwards])
            lines, failures = self._hold_each(target, user, forwards)
            self._profiles[user] = ProfileForwards(forwards, pool, not failures, failures)
        known = before.failures if before is not None else ()
        for line in (*lines, *(failure for failure in failures if failure not in known)):
            report(f"rdo: {line}")

    def hold_for_target(self, pool: TargetPool, wanted: ForwardSet, report: Report) -> None:
        """Hold the forwards in the target's own configuration for as long as it is connected; tried once for each
        connection. Failures are reported. Raises SetupError for a required forward."""
        target = self._targets.get(pool.target.key)
        attempt = target.configured.get(wanted) if target is not None else None
        if attempt is not None and attempt.counts(pool):
            return
        with self._lock:
            target = self._of(pool)
        for line in configured_forwards.hold(target, wanted):
            report(f"rdo: {line}")

    @contextmanager
    def held(
        self,
        pool: TargetPool,
        connection: HeldConnection,
        forwards: Sequence[Forward],
        report: Report,
        owner: FailureReport,
    ) -> Iterator[FailureReport]:
        """Hold these forwards for `owner` over that connection while one command runs. Raises SetupError."""
        with self._lock:
            target = self._of(pool)
        try:
            for forward in forwards:
                if line := self._hold(target, owner, forward, connection):
                    report(f"rdo: {line}")
            yield owner
        finally:
            target.drop(owner)

    def add(self, pool: TargetPool, forwards: Sequence[Forward]) -> list[str]:
        """Add these forwards for as long as the target is connected, and return a line about each. Raises
        SetupError."""
        with self._lock:
            target = self._of(pool)
            return [self._add(target, forward) for forward in forwards]

    def _add(self, target: TargetForwards, forward: Forward) -> str:
        if _is_there_anyway(target.pool, forward):
            return f"{configured_route(forward, target.pool.target.name)} is there without a forward"
        return moved_line(target.hold(MANUAL_OWNER, self._placed(forward, target.pool))[0], target.pool.target.name)

    def remove(self, pool: TargetPool, forwards: Sequence[Forward]) -> list[str]:
        """End these forwards, whoever asked for them, and return a line about each. Raises SetupError for one that does
        not exist."""
        with self._lock:
            target = self._of(pool)
            chosen = [self._chosen(target, forward) for forward in forwards]
            target.end(lambda held: held in chosen)
        return [f"removed {route(each, pool.target.name)}" for each in chosen]

    def _chosen(self, target: TargetForwards, forward: Forward) -> HeldForward:
        """The forward that was asked for in these words, or else the one that listens on the port. Raises
        SetupError."""
        name, placed = target.pool.target.name, self._placed(forward, target.pool)
        for held in target.held:
            if held.forward._replace(exact=False) == placed._replace(exact=False):
                return held
        for held in target.held:
            if forward.listen.port == held.endpoint.port == forward.destination.port:
                return held
        raise SetupError(f"`{forward.listen}` is not forwarded from `{name}`", "", "see `rdoctl ports`")

    def watch(self, pool: TargetPool) -> PortWatch:
        """The watch that forwards the ports which commands of the target listen on."""
        with self._lock:
            if (watch := self._watches.get(pool)) is None:
                watch = self._watches[pool] = PortWatch(WatchedPorts(self._of(pool)))
            return watch

    def report(self, pool: TargetPool) -> list[dict[str, object]]:
        """The forwards of a target, as specified in PROTOCOL.md."""
        with self._lock:
            target = self._targets.get(pool.target.key)
        if target is None or target.pool is not pool:
            return []
        return [description(held, pool.target.name) for held in target.held]

    def close(self) -> None:
        """End all forwards."""
        for target in self.targets:
            target.end()

    def _hold_each(
        self, target: TargetForwards, owner: Hashable, forwards: Sequence[Forward]
    ) -> tuple[list[str], list[str]]:
        """Hold the forwards, and return the lines about those that are held, and the errors of those that are not."""
        lines, failures = [], []
        for forward in forwards:
            try:
                lines.append(self._hold(target, owner, forward))
            except SetupError as error:
                failures.append(str(error))
        return list(filter(None, lines)), failures

    def _hold(
        self, target: TargetForwards, owner: Hashable, forward: Forward, connection: HeldConnection | None = None
    ) -> str:
        """Hold a forward, and return a line about it, if necessary. Raises SetupError."""
        if _is_there_anyway(target.pool, forward):
            return ""
        placed = self._placed(forward, target.pool)
        held, is_new = target.hold(owner, placed, connection)
        is_elsewhere = held.moved or held.endpoint != forward.listen
        return moved_line(held, target.pool.target.name) if is_new and is_elsewhere else ""

    def _of(self, pool: TargetPool) -> TargetForwards:
        """The forwards of the pool's target. Call with the lock held."""
        target = self._targets.setdefault(pool.target.key, TargetForwards(pool))
        if target.pool is not pool or not target.is_watched:
            target.use_pool(pool)
            pool.when_closing(lambda why: self._closing(target, pool, why))
        return target

    def _closing(self, target: TargetForwards, pool: TargetPool, why: str) -> None:
        """End the forwards of a pool that is being closed, unless it only lost its connection."""
        if why == SPENT or target.pool is not pool:
            return
        with self._lock:
            self._profiles = {user: each for user, each in self._profiles.items() if each.pool is not pool}
        target.end()

    def _placed(self, forward: Forward, pool: TargetPool) -> Forward:
        """The forward, with a socket of rdo's own if it is to listen on a Unix socket of no particular name."""
        if forward.listen != Endpoint() or forward.kind is ForwardKind.REMOTE:
            return forward
        there = forward.destination.path
        digest = hashlib.sha256(f"{pool.target.name}\0{there}".encode()).hexdigest()[:8]
        name = f"{digest}-{os.path.basename(there)[-SOCKET_NAME_LIMIT:]}"
        return forward._replace(listen=Endpoint(path=os.path.join(self._directory, name)))


def _is_there_anyway(pool: TargetPool, forward: Forward) -> bool:
    """Whether the local port leads there without a forward, because this machine is the target, or a container
    publishes the port."""
    listen, destination = forward.listen, forward.destination
    if forward.kind is not ForwardKind.LOCAL or listen.host or destination.host != "localhost":
        return False
    return pool.target.serves_here(listen.port, destination.port)
