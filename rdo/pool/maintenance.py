"""The thread that opens warm shells, closes old ones, and closes connections that are no longer needed.

Commands come first: the thread is woken when one has ended, or has been running for a while.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from rdo.drivers.base import ChannelOptions, ChannelRefused
from rdo.errors import ConnectError, LinkLost, RdoError, SetupError
from rdo.pool.connection import HeldConnection
from rdo.pool.connections import ConnectionSet, ShellLease
from rdo.pool.warm_shells import WARM_AGE_LIMIT, WarmShells
from rdo.util import log, threads

SPARE_CONNECTION_TIMEOUT = 60.0
"""Seconds until an unused connection is closed, unless it is the first."""


class Maintenance:
    """Maintains the warm shells on the connections to one target."""

    def __init__(
        self, connections: ConnectionSet, warm: WarmShells, lose: Callable[[HeldConnection, str], None]
    ) -> None:
        """`lose` closes and forgets a connection, together with the warm shells on it."""
        self._connections = connections
        self._warm = warm
        self._lose = lose
        self.chores: list[Callable[[], None]] = []
        """Functions to call now and then, at least every SPARE_CONNECTION_TIMEOUT. They must not wait."""
        self._thread: threading.Thread | None = None
        self._is_due = False
        """Whether the thread was woken since its last run. Guarded by `changed` of the warm shells."""

    def wake(self) -> None:
        """Prepare for the next command."""
        with self._warm.changed:
            if self._thread is None and not self._warm.closed:
                with contextlib.suppress(SetupError):  # without the thread, each command opens a shell of its own
                    self._thread = threads.start(self._run, name="maintenance")
            self._is_due = True
            self._warm.changed.notify()

    def _run(self) -> None:
        while self._wait_for_work():
            for work in (*self.chores, self._evict, self._refill, self._settle):
                # The next command fails in the same way as a refill, and reports it.
                with log.contained(), contextlib.suppress(ChannelRefused, RdoError):
                    work()

    def _wait_for_work(self) -> bool:
        """Wait until woken, or until something is too old. Returns False at the end."""
        with self._warm.changed:
            self._warm.changed.wait_for(lambda: self._is_due or self._warm.closed, SPARE_CONNECTION_TIMEOUT)
            self._is_due = False
            return not self._warm.closed

    def _evict(self) -> None:
        for connection in self._connections:
            if connection.keepalive.is_silent and not connection.running.count and any(self._others(connection)):
                self._lose(connection, "it no longer answers")  # a new connection was opened beside it
        is_calm = self._warm.unused_for > SPARE_CONNECTION_TIMEOUT
        if is_calm:
            self._warm.calm()
        for lease in self._warm.evict():
            lease.throw_away()
        if is_calm:
            for connection in list(self._connections)[1:]:
                if not connection.running.count:
                    self._lose(connection, "it was not needed any more")

    def _settle(self) -> None:
        for connection in self._connections:
            connection.settle()

    def _others(self, silent: HeldConnection) -> list[HeldConnection]:
        """Connections that can be used in its place."""
        return [each for each in self._connections if each is not silent and not each.keepalive.is_silent]

    def _refill(self) -> None:
        """Open the missing shells of each kind that was used recently."""
        if self._warm.unused_for > WARM_AGE_LIMIT:
            return
        with contextlib.ExitStack() as undo:
            ready: list[ShellLease] = []
            for opening in self._warm.kinds:
                for lease in self._begin_missing(opening, undo):
                    if not lease.shell.plain:
                        # start-up files may take long, and the next order for the lifeline may be far away
                        lease.connection.settle()
                    with contextlib.suppress(ConnectError, LinkLost):
                        lease.connection.wait_until_ready(lease.shell)
                        ready.append(lease)
            for connection in {lease.connection for lease in ready}:
                connection.guard(*(lease.shell.group for lease in ready if lease.connection is connection))
            if self._warm.add(ready):
                undo.pop_all()

    def _begin_missing(self, opening: ChannelOptions, undo: contextlib.ExitStack) -> list[ShellLease]:
        """Open all missing shells of a kind at the same time, since the start-up files of a login shell may take long.

        Whatever happens, `undo` discards those that were opened.
        """
        begun: list[ShellLease] = []
        while self._warm.missing(opening) > len(begun):
            connection = next((each for each in self._connections if _has_room(each)), None)
            if connection is None:
                break
            try:
                lease = ShellLease(connection.begin_shell(opening, spare=True), connection, opening)
            except ChannelRefused:
                continue
            except (ConnectError, LinkLost):
                break  # keep what was opened before
            begun.append(lease)
            undo.callback(lease.throw_away)
        return begun


def _has_room(connection: HeldConnection) -> bool:
    return not (connection.full or connection.keepalive.is_silent or connection.keepalive.ended)
