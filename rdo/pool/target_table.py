"""The pools of all targets, by the key that profiles resolve to: profiles that lead to the same target share a pool."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from rdo.drivers.base import Driver, Target
from rdo.drivers.caller import Caller
from rdo.errors import SetupError
from rdo.pool.shared_attempt import SharedAttempts
from rdo.pool.target_pool import SPENT, PoolCommand, PoolUser, TargetPool
from rdo.util import log, threads

SPARE_LIMIT = 8
"""Idle pools to keep per name. On this machine, callers with different environments have separate pools; on others,
those with different agents or users."""

RENAMED = "its name has become another's"
"""The reason for closing a pool whose name now denotes another target."""


class TargetUse(NamedTuple):
    """A target as one command sees it, and the pool that it shares with others."""

    target: Target
    pool: TargetPool


class TargetSelection:
    """The target that equal selectors lead to."""

    def __init__(self) -> None:
        self.use: TargetUse | None = None
        self.attempts = SharedAttempts()
        """Attempts to resolve the target: one command makes the attempt for all."""


class TargetTable:
    """All targets of a control master. Thread-safe; no target waits for another one."""

    def __init__(self) -> None:
        self.opened: Callable[[], None] = lambda: None
        """Called for each new pool, since each has its own idle timeout."""
        self._lock = threading.Lock()
        """Guards everything below. Not held while something is resolved or closed."""
        self._selections: dict[Hashable, TargetSelection] = {}
        self._variables: dict[Hashable, frozenset[str]] = {}
        """For each selector, the caller's variables that its targets have depended on so far, in addition to the
        selector itself."""
        self._pools: dict[Hashable, TargetPool] = {}
        self._ending: list[TargetPool] = []

    @property
    def pools(self) -> list[TargetPool]:
        """The pools that accept commands."""
        with self._lock:
            return list(self._pools.values())

    @property
    def ending(self) -> list[TargetPool]:
        """The pools that accept no more commands, and are closed when their last one has ended."""
        with self._lock:
            return list(self._ending)

    @contextmanager
    def of(
        self, driver: Driver, caller: Caller, user: PoolUser, command: PoolCommand, idle_timeout: float
    ) -> Iterator[TargetUse]:
        """The target of a command, for as long as the block runs. Raises what Driver.resolve raises."""
        selector = driver.selector(caller)
        use = self._resolved(selector, driver, caller)
        while not self._begin(use, user, command, idle_timeout):  # the pool has just been closed
            use = self._resolved(selector, driver, caller)
        try:
            yield use
        finally:
            use.pool.end(command)
            self._close_ended()
            self._close_spare(use.target.name)

    def _begin(self, use: TargetUse, user: PoolUser, command: PoolCommand, idle_timeout: float) -> bool:
        with self._lock:
            if self._pools.get(use.target.key) is not use.pool:
                return False
            is_new = not use.pool.users
            use.pool.begin(user, command, idle_timeout)
        if is_new:
            self.opened()
        return True

    def _resolved(self, selector: Hashable, driver: Driver, caller: Caller) -> TargetUse:
        """What the selector leads to. It is resolved again unless its pool is connected."""
        while True:
            with self._lock:
                selection = self._selection(selector, caller)
                before = selection.use
                held = before if before is not None and self._is_held(before) else None
                seen = selection.attempts.seen()
            if held is not None and held.pool.is_still(held.target):
                return held
            with self._lock:
                if selection.use is not before:
                    continue
                attempt, ours = selection.attempts.join(seen)
            if ours:
                with attempt.made():
                    found = self._resolve(driver, caller)
                    self._select(found, selector, caller)
                if held is not None and held.pool is not found.pool:
                    self.give_up(held.pool, RENAMED)
                return found
            caller.progress(f"connecting to `{driver.target}`")
            attempt.result()
            with self._lock:
                selection = self._selection(selector, caller)
            if (use := selection.use) is not None and use is not before:
                return use

    def _selection(self, selector: Hashable, caller: Caller) -> TargetSelection:
        """The entry for the selector and this caller. Call with the lock held."""
        names = self._variables.get(selector)
        values = tuple(map(caller.environment.get, sorted(names))) if names else ()
        selection = self._selections.get((selector, values))
        if selection is None:
            selection = self._selections[selector, values] = TargetSelection()
        return selection

    def _select(self, found: TargetUse, selector: Hashable, caller: Caller) -> None:
        """Have the selector lead to this target, for callers whose variables have the same values."""
        with self._lock:
            if found.target.variables_read:
                before = self._variables.get(selector, frozenset())
                self._variables[selector] = before | found.target.variables_read
            self._selection(selector, caller).use = found

    def _is_held(self, use: TargetUse) -> bool:
        """Whether the pool accepts commands, and has a connection or is opening one. A pool that is being closed may
        still have one.

        Call with the lock held.
        """
        return self._pools.get(use.target.key) is use.pool and use.pool.shells.connections.is_wanted

    def _resolve(self, driver: Driver, caller: Caller) -> TargetUse:
        caller.progress(f"connecting to `{driver.target}`")
        target = driver.resolve(caller)
        unused = None
        with self._lock:
            pool = self._pools.get(target.key)
            if pool is None:
                pool = self._pools[target.key] = TargetPool(target)
            elif pool.shells.connections.is_wanted:
                unused = target
            else:
                unused, pool.target = pool.target, target
        if unused is not None:
            unused.release()
        return TargetUse(target, pool)

    def close(self, chosen: Callable[[TargetPool], bool], why: str) -> None:
        """Close the chosen pools once their commands have ended. Later commands get new pools."""
        with self._lock:
            closed = {key: pool for key, pool in self._pools.items() if chosen(pool)}
            for key in closed:
                del self._pools[key]
            for pool in closed.values():
                pool.end_reason = why
            self._ending += closed.values()
            for selector, selection in list(self._selections.items()):
                if selection.use is not None and selection.use.pool in self._ending:
                    del self._selections[selector]
        self._close_ended()

    def give_up(self, pool: TargetPool, why: str) -> None:
        """Close this pool in the same way."""
        self.close(lambda each: each is pool, why)

    def close_all(self) -> None:
        """Close all pools, and end what runs over them. Returns when that is done."""
        for pool in (*self.pools, *self.ending):
            with log.contained():
                pool.close("the control master ends")

    def _close_ended(self) -> None:
        if not self._ending:
            return
        with self._lock:
            ended = [pool for pool in self._ending if not pool.running]
            self._ending = [pool for pool in self._ending if pool not in ended]
        for pool in ended:
            with suppress(SetupError):
                threads.start(pool.close, pool.end_reason, name="close")

    def close_idle(self) -> None:
        """Close the pools whose idle timeout has expired, and those with nothing open."""
        self.close(lambda pool: pool.is_over, "it was idle")
        self.close(lambda pool: pool.is_spent, SPENT)

    def _close_spare(self, name: str) -> None:
        same = [pool for pool in self.pools if pool.target.name == name]
        if len(same) > SPARE_LIMIT:
            idle = sorted((pool for pool in same if not pool.running), key=lambda pool: pool.idle_for, reverse=True)
            spare = idle[: len(same) - SPARE_LIMIT]
            self.close(lambda pool: pool in spare and not pool.running, "others of its kind were used later")
