"""The pool of one target: its connections and shells, who uses them, and until when they are kept."""

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
"""Why a pool is closed whose target could not be kept: whatever was held to it comes back with the next connection."""


class PoolUser(NamedTuple):
    """A profile of a config file that uses a target."""

    config: str
    profile: str


class PoolCommand(NamedTuple):
    """A command that uses a target, as typed, and how it is ended at once."""

    words: str
    break_off: Callable[[BaseException], None]
    is_check: bool = False
    """Whether it only checks that everything works: then it keeps nothing open for longer."""


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
        self._belongings: list[Callable[[], None]] = []
        self._changed = threading.Lock()
        """Guards what follows."""
        self._running: list[PoolCommand] = []
        self._timeouts: dict[PoolUser, float] = {}
        self._used = time.monotonic()
        self._streams = 0
        self._closing: list[Callable[[str], None]] = []

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
        """Seconds since its last command or forwarded connection ended; 0 while there is one."""
        with self._changed:
            return 0.0 if self._running or self._streams else time.monotonic() - self._used

    def is_still(self, target: Target) -> bool:
        """Whether what led to the target would lead here now, too. May wait a few seconds for an answer."""
        name = target.found_by
        return not name or all(connection.keepalive.has_name(name) for connection in self.shells.connections)

    @property
    def is_over(self) -> bool:
        """Whether it has been idle for long enough."""
        return self.idle_left == 0

    @property
    def is_spent(self) -> bool:
        """Whether it holds nothing."""
        return not (self.running or self.shells.connections.is_wanted)

    @property
    def idle_left(self) -> float | None:
        """Seconds until it is to be closed; None while a command or a forwarded connection is there, and if it never
        is.
        """
        timeout = self.idle_timeout
        return max(0.0, timeout - self.idle_for) if timeout and not (self.running or self._streams) else None

    def begin(self, user: PoolUser, command: PoolCommand, idle_timeout: float) -> None:
        """A command of the profile uses it from now on."""
        with self._changed:
            if not (command.is_check and self._timeouts):
                self._timeouts[user] = idle_timeout
            self._running.append(command)

    def end(self, command: PoolCommand) -> None:
        """It has ended."""
        with self._changed:
            self._running.remove(command)
            if not command.is_check:
                self._used = time.monotonic()

    def open_stream(self, destination: Endpoint, sink: Sink, changed: Callable[[], None]) -> StreamLease:
        """Have the target connect to a server, over one of the connections that are held. Raises LinkLost."""
        for connection in self._by_health():
            with contextlib.suppress(LinkLost):
                lease = connection.open_stream(destination, sink, changed)
                with self._changed:
                    self._streams += 1
                return lease._replace(release=partial(self._end_stream, lease))
        raise LinkLost(f"there is no connection to `{self.target.name}`")

    def _by_health(self) -> list[HeldConnection]:
        """The connections that are held, those that answer first."""
        return sorted(self.shells.connections, key=lambda connection: connection.keepalive.is_silent)

    def listen(
        self, connection: HeldConnection | None, at: Endpoint, accept: Callable[[IncomingLease], None]
    ) -> RemoteListener:
        """Have the target listen, for as long as that connection lasts, or one of those that are held. Raises
        SetupError, LinkLost.
        """

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
        """Call this as soon as it is closed, with the reason."""
        self._closing.append(call)

    def close(self, why: str) -> None:
        """Close its connections, and end what runs over them; `why` is for the log."""
        with contextlib.ExitStack() as closing:  # in reverse; each, whatever another one raises
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
        """Call this, once, after it has been closed; at once if it has been."""
        self._belongings.append(call)
        if self.closed.is_set():
            self._give_back()
