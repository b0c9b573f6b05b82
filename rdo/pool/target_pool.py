"""The pool of one target: its connections and shells, who uses them, and until when they are kept."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from rdo.drivers.base import Target
from rdo.pool.login_directory import LoginDirectory
from rdo.pool.shell_pool import ShellPool


class PoolUser(NamedTuple):
    """A profile of a config file that uses a target."""

    config: str
    profile: str


class PoolCommand(NamedTuple):
    """A command that uses a target, as typed, and how it is ended at once."""

    words: str
    break_off: Callable[[BaseException], None]


_numbers = itertools.count(1)


class TargetPool:
    """What is held to one target. Usable from any thread."""

    def __init__(self, target: Target) -> None:
        self.number = next(_numbers)
        """By which `rdoctl stop` names it."""
        self.shells = ShellPool(target)
        self.login = LoginDirectory(self.shells, target.name)
        self.started = time.time()
        self.end_reason = ""
        """Why it is closed once its commands have ended."""
        self.closed = threading.Event()
        self._changed = threading.Lock()
        """Guards what follows."""
        self._running: list[PoolCommand] = []
        self._timeouts: dict[PoolUser, float] = {}
        self._used = time.monotonic()

    @property
    def target(self) -> Target:
        """The latest that resolved to this pool."""
        return self.shells.connections.target

    @target.setter
    def target(self, target: Target) -> None:
        self.shells.connections.target = target

    @property
    def users(self) -> list[PoolUser]:
        """The profiles that have used it."""
        with self._changed:
            return list(self._timeouts)

    @property
    def running(self) -> list[PoolCommand]:
        """The commands that use it."""
        with self._changed:
            return list(self._running)

    @property
    def idle_timeout(self) -> float:
        """Seconds without a command after which it is closed: the longest that a profile has; 0 means never."""
        with self._changed:
            timeouts = self._timeouts.values()
            return 0.0 if 0.0 in timeouts else max(timeouts, default=0.0)

    @property
    def idle_for(self) -> float:
        """Seconds since its last command ended; 0 while one runs."""
        with self._changed:
            return 0.0 if self._running else time.monotonic() - self._used

    @property
    def is_over(self) -> bool:
        """Whether it has been idle for long enough, or holds nothing."""
        return self.idle_left == 0 or not (self.running or self.shells.connections.is_wanted)

    @property
    def idle_left(self) -> float | None:
        """Seconds until it is to be closed; None while a command runs, and if it never is."""
        timeout = self.idle_timeout
        return max(0.0, timeout - self.idle_for) if timeout and not self.running else None

    def begin(self, user: PoolUser, command: PoolCommand, idle_timeout: float) -> None:
        """A command of the profile uses it from now on."""
        with self._changed:
            self._timeouts[user] = idle_timeout
            self._running.append(command)

    def end(self, command: PoolCommand) -> None:
        """It has ended."""
        with self._changed:
            self._running.remove(command)
            self._used = time.monotonic()

    def close(self, why: str) -> None:
        """Close its connections, and end what runs over them; `why` is for the log."""
        try:
            self.shells.close(why)
            self.target.release()
        finally:
            self.closed.set()
