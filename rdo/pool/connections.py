"""The connections to a target: opened one at a time, and discarded when dead. Knows nothing of commands."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from rdo.drivers.base import ChannelOptions, ChannelRefused, Target
from rdo.drivers.caller import Caller, CallerGone
from rdo.errors import ConnectError, LinkLost
from rdo.pool.connection import ROOM_INTERVAL, ROOM_TIMEOUT, HeldConnection
from rdo.pool.rival_login import RivalLogin
from rdo.pool.shared_attempt import SharedAttempt, SharedAttempts
from rdo.pool.shell import Shell
from rdo.util import log


class ShellLease(NamedTuple):
    """A shell for one command, and the connection that it runs on."""

    shell: Shell
    connection: HeldConnection
    opening: ChannelOptions
    """How the shell was opened."""

    def age(self, now: float) -> float:
        """Seconds since the shell was opened; `now` is from time.monotonic()."""
        return now - self.shell.opened

    def throw_away(self) -> None:
        """Close the shell, and stop guarding it."""
        try:
            self.connection.release(self.shell.group)
        finally:
            self.shell.close()


def _open_at_last(connection: HeldConnection, opening: ChannelOptions) -> Shell:
    """Open a shell in place of the lifeline, whose room the server frees once it has seen that end. Raises
    ChannelRefused."""
    deadline = time.monotonic() + ROOM_TIMEOUT
    while True:
        try:
            return connection.open_shell(opening)
        except ChannelRefused:
            if time.monotonic() > deadline:
                raise
        time.sleep(ROOM_INTERVAL)


Opening = Callable[[], ChannelOptions]
"""Returns how a command's shell is to be opened. Called again once there is a connection, which may change the
answer."""


class TargetSpent(ConnectError):
    """All connections to the target have ended. The same name may denote another target by now, so it must be resolved
    again."""


class ConnectionSet:
    """All connections to a target. Thread-safe."""

    def __init__(self, target: Target, make_room: Callable[[HeldConnection], bool]) -> None:
        """`make_room`: see HeldConnection."""
        self._make_room = make_room
        self.target = target
        """The latest target that resolved to the same key. Its options apply to the next connection."""
        self._lock = threading.Lock()
        """Guards the connections, and which login is the latest."""
        self._connections: list[HeldConnection] = []
        self._connected: Target | None = None
        """The target that the latest connection was made to."""
        self._logins = SharedAttempts()
        self.login_time = 0.0
        """Seconds that the latest login took, including the questions to the user."""

    def __iter__(self) -> Iterator[HeldConnection]:
        with self._lock:
            return iter(list(self._connections))

    @property
    def living(self) -> int:
        """The number of connections that have not ended as far as is known. The next command discards those that
        have."""
        return sum(not connection.keepalive.ended for connection in self)

    @property
    def is_wanted(self) -> bool:
        """Whether there is a connection, or one is being opened."""
        return bool(self._connections) or not self._logins.latest.is_over

    def open(self, caller: Caller, opening: Opening, find_room: Callable[[], ShellLease | None]) -> ShellLease:
        """Open a shell in the room that `find_room` finds on existing connections, or else on a new connection.

        Only one login runs at a time. Commands that find no room meanwhile wait for it, then look for room again; if it
        fails, all of them get its error, so that nobody is asked for the same password twice. Raises ConnectError and
        TargetSpent.
        """
        while True:
            seen = self._logins.seen()
            if lease := find_room():
                return lease
            with self._lock:
                login, ours = self._logins.join(seen)
                spent = ours and not self._connections and self.target is self._connected
            if spent:
                login.end()
                raise TargetSpent(f"the connection to `{self.target.name}` was lost", "", "try again")
            if ours and (lease := self._log_in_beside(login, caller, opening)):
                return lease
            caller.progress(f"waiting for another command to connect to `{self.target.name}`")
            login.result()

    def _log_in_beside(self, login: SharedAttempt, caller: Caller, opening: Opening) -> ShellLease | None:
        """Open a shell on a new connection; None if a silent connection answers first. Raises ConnectError."""
        with login.made():
            silent = [connection for connection in self if connection.keepalive.is_silent]
            if not silent:
                return self._log_in(caller, opening)
            log.event(f"no answer from `{self.target.name}`: trying a new connection beside the silent one")
            rival = RivalLogin(lambda caller: self._log_in(caller, opening), ShellLease.throw_away)
            return rival.run(caller, silent)

    def _log_in(self, caller: Caller, opening: Opening) -> ShellLease:
        started = time.monotonic()
        try:
            caller.progress(f"connecting to `{self.target.name}`")
            target = self.target
            connection = HeldConnection(target.connect(caller), self._make_room)
            caller.progress(f"starting a shell on `{self.target.name}`")
            lease = self._open_first(connection, opening())
        except CallerGone:
            raise
        except Exception as error:
            log.event(f"cannot connect to `{self.target.name}`: {error}")
            raise
        with self._lock:
            self._connections.append(connection)
            self._connected = target
        self.login_time = time.monotonic() - started
        log.event(f"connected to `{self.target.name}` in {self.login_time:.2f} s")
        return lease

    @staticmethod
    def _open_first(connection: HeldConnection, opening: ChannelOptions) -> ShellLease:
        """Open the first shell on a connection that no other command knows yet. Raises ConnectError."""
        try:
            connection.start_lifeline()
            try:
                return ShellLease(connection.open_shell(opening), connection, opening)
            except ChannelRefused:
                connection.give_up_lifeline()
                return ShellLease(_open_at_last(connection, opening), connection, opening)
        except (ChannelRefused, LinkLost) as error:
            connection.close()
            why, hint = str(error), ""
            if isinstance(error, LinkLost):
                why, hint = str(LinkLost(error.what, error.why)), error.hint
            raise ConnectError("the target refused to open a session", why, hint or "see `rdoctl doctor`") from None
        except BaseException:
            connection.close()
            raise

    def discard(self, connection: HeldConnection, why: str) -> None:
        """Close a connection and forget it; `why` is for the log."""
        with self._lock:
            if connection in self._connections:
                self._connections.remove(connection)
                log.event(f"closed a connection to `{self.target.name}`: {why}")
        connection.close()

    def close(self, why: str) -> None:
        """Close all connections, which ends everything that runs over them; `why` is for the log."""
        for connection in self:
            with log.contained():
                connection.guard_kept()
            with log.contained():
                self.discard(connection, why)
