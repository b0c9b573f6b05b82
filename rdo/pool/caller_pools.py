"""The shells of one target, separate for callers that may not share them: with most drivers all callers may."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Hashable, Iterator

from rdo.drivers.base import Caller, Driver
from rdo.errors import SetupError
from rdo.pool.login_directory import LoginDirectory
from rdo.pool.shell_pool import ShellPool
from rdo.util import threads
from rdo.util.active_count import ActiveCount

POOL_LIMIT = 8
"""Kinds of callers for whom shells are held: those of a handful of terminals."""


class CallerPool:
    """Shells, the directory that they begin in, and how many commands use them."""

    def __init__(self, driver: Driver, login: bool) -> None:
        self.shells = ShellPool(driver, login)
        self.login = LoginDirectory(self.shells, driver.target)
        self.users = ActiveCount(threading.Condition())
        """Guards how many commands use it."""


class CallerPools:
    """All pools of a target. Usable from any thread."""

    def __init__(self, driver: Driver, login: bool) -> None:
        self._driver = driver
        self._login = login
        self._lock = threading.Lock()
        """Guards the pools by kind of caller."""
        self._pools: dict[Hashable, CallerPool] = {}

    @property
    def shells(self) -> list[ShellPool]:
        """Those of all."""
        with self._lock:
            return [pool.shells for pool in self._pools.values()]

    @contextlib.contextmanager
    def of(self, caller: Caller) -> Iterator[CallerPool]:
        """The pool that may serve the caller."""
        kind = self._driver.sharing_key(caller)
        with contextlib.ExitStack() as used:
            with self._lock:
                pool = self._pools.pop(kind, None) or CallerPool(self._driver, self._login)
                used.enter_context(pool.users)
                self._pools[kind] = pool  # the latest are last
                idle = [kind for kind, pool in self._pools.items() if not pool.users.count]
                oldest = idle[: max(0, len(self._pools) - POOL_LIMIT)]
                evicted = [self._pools.pop(kind).shells for kind in oldest]
            for shells in evicted:
                with contextlib.suppress(SetupError):
                    threads.start(shells.close, name="close")
            yield pool
