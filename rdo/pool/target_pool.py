"""The pool of one target: its connections and shells, who uses them, and how long they are kept."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from rdo.config.forwards import Endpoint
from rdo.drivers.base import Target
from rdo.drivers.target_stream import RemoteListener, Sink
from rdo.errors import LinkLost
from rdo.pool.connection import HeldConnection, IncomingLease, StreamLease
from rdo.pool.login_directory import LoginDirectory
from rdo.pool.shell_pool import ShellPool
from rdo.util import log

SPENT = "its connections have ended"
"""The reason for closing a pool without connections; what depended on it is set up again with the next connection."""


class PoolUser(NamedTuple):
    """A profile of a config file that uses a target."""

    config: str
    profile: str


class PoolCommand(NamedTuple):
    """A command that uses a target, as it was typed, and a function that ends it at once."""

    words: str
    break_off: Callable[[BaseException], None]
    is_check: bool = False
    """Whether the command only checks that everything works. Then it does not prolong the idle time."""


_numbers = itertools.count(1)


class TargetPool:
    """Everything that is kept open to one target. Thread-safe."""

    def __init__(self, target: Target) -> None:
        self.number = next(_numbers)
        """The number by which `rdoctl stop` names the pool."""
        self.shells = ShellPool(target)
        self.login = LoginDirectory(self.shells, target.name)
        self.started = time.time()
        self.end_reason = ""
        """Why the pool is closed once its commands have ended; empty if it is not."""
        self.closed = threading.Event()
        self._belongings: list[Callable[[], None]] = []
        self._changed = threading.Lock()
        """Guards everything below."""
        self._running: list[PoolCommand] = []
        self._timeouts: dict[PoolUser, float] = {}
        self._used = time.monotonic()
        self._streams = 0
        self._closing: list[Callable[[str], None]] = []

    @property
    def target(self) -> Target:
        """The latest target that resolved to this pool."""
        return self.shells.connections.target

    @target.setter
    def target(self, target: Target) -> None:
        self.shells.connections.target = target

    @property
    def users(self) -> list[PoolUser]:
        """The profiles that have used the pool."""
        with self._changed:
            return list(self._timeouts)

    @property
    def running(self) -> list[PoolCommand]:
        """The commands that use the pool."""
        with self._changed:
            return list(self._running)

    @property
    def idle_timeout(self) -> float:
        """Seconds without a command after which the pool is closed: the largest value of any of its profiles; 0 means
        never."""
        with self._changed:
            timeouts = self._timeouts.values()
            return 0.0 if 0.0 in timeouts else max(timeouts, default=0.0)

    @property
    def idle_for(self) -> float:
        """Seconds since the last command or forwarded connection ended; 0 while there is one."""
        with self._changed:
            return 0.0 if self._running or self._streams else time.monotonic() - self._used

    def is_still(self, target: Target) -> bool:
        """Whether what led to the target would still lead to it. May wait a few seconds for an answer."""
        if not target.is_current:
            return False
        name = target.found_by
        return not name or all(connection.keepalive.has_name(name) for connection in self.shells.connections)

    @property
    def is_over(self) -> bool:
        """Whether the pool has been idle for long enough to be closed."""
        return self.idle_left == 0

    @property
    def is_spent(self) -> bool:
        """Whether the pool has nothing left open."""
        return not (self.running or self.shells.connections.is_wanted)

    @property
    def idle_left(self) -> float | None:
        """Seconds until the pool is closed; None while a command or forwarded connection uses it, and if it never
        is."""
        timeout = self.idle_timeout
        return max(0.0, timeout - self.idle_for) if timeout and not (self.running or self._streams) else None

    def begin(self, user: PoolUser, command: PoolCommand, idle_timeout: float) -> None:
        """Register a command of the profile as using the pool."""
        with self._changed:
            if not (command.is_check and self._timeouts):
                self._timeouts[user] = idle_timeout
            self._running.append(command)

    def end(self, command: PoolCommand) -> None:
        """Unregister a command that has ended."""
        with self._changed:
            self._running.remove(command)
            if not command.is_check:
                self._used = time.monotonic()

    def open_stream(self, destination: Endpoint, sink: Sink, changed: Callable[[], None]) -> StreamLease:
        """Have the target connect to a server, over one of the open connections. Raises LinkLost."""
        for connection in self._by_health():
            with contextlib.suppress(LinkLost):
                lease = connection.open_stream(destination, sink, changed)
                with self._changed:
                    self._streams += 1
                return lease._replace(release=partial(self._end_stream, lease))
        raise LinkLost(f"there is no connection to `{self.target.name}`")

    def _by_health(self) -> list[HeldConnection]:
        """The open connections, those that answer first."""
        return sorted(self.shells.connections, key=lambda connection: connection.keepalive.is_silent)

    def listen(
        self, connection: HeldConnection | None, at: Endpoint, accept: Callable[[IncomingLease], None]
    ) -> RemoteListener:
        """Have the target listen over the given connection, or else over one of the open ones, for as long as that
        lasts. Raises SetupError, LinkLost."""

        def accepted(lease: IncomingLease) -> None:
            with self._changed:
                self._streams += 1
            accept(lease._replace(release=partial(self._end_stream, lease)))

        for held in [connection] if connection else self._by_health():
            with contextlib.suppress(LinkLost):
                return held.listen(at, accepted)
        raise LinkLost(f"there is no connection to `{self.target.name}`")

    def _end_stream(self, lease: StreamLease | IncomingLease) -> None:
        lease.release()
        with self._changed:
            self._streams -= 1
            self._used = time.monotonic()

    def when_closing(self, call: Callable[[str], None]) -> None:
        """Call the function with the reason as soon as the pool is being closed."""
        self._closing.append(call)

    def close(self, why: str) -> None:
        """Close the connections, which ends everything that runs over them; `why` is for the log."""
        with contextlib.ExitStack() as closing:  # in reverse order, and each even if another one raises
            closing.callback(self._give_back)
            closing.callback(self.target.release)
            closing.callback(self.shells.close, why)
            for call in reversed(self._closing):
                closing.callback(call, why)

    def _give_back(self) -> None:
        self.closed.set()
        while self._belongings:
            with log.contained():
                self._belongings.pop()()

    def when_closed(self, call: Callable[[], None]) -> None:
        """Call the function once after the pool has been closed, or at once if it already has."""
        self._belongings.append(call)
        if self.closed.is_set():
            self._give_back()
