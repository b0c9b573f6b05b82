"""The connections held to one target: made one at a time, given up when dead. Knows nothing of commands."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

from rdo.drivers.base import Caller, CallerGone, ChannelRefused, Driver, Opening, Pty
from rdo.errors import ConnectError, LinkLost
from rdo.pool.connection import HeldConnection
from rdo.pool.shell import Shell

ROOM_TIMEOUT = 5.0
"""Seconds for a server to notice the end of a session."""

ROOM_PAUSE = 0.02
"""Seconds between two looks for room: a refusal costs a round trip."""


class ShellLease(NamedTuple):
    """A shell for one command, and the link that it is on."""

    shell: Shell
    connection: HeldConnection
    opening: Opening
    """How the shell was opened."""

    def age(self, now: float) -> float:
        """Seconds since it was opened, by time.monotonic()."""
        return now - self.shell.opened

    def throw_away(self) -> None:
        """Close the shell, which is to be guarded no more."""
        try:
            self.connection.release(self.shell.group)
        finally:
            self.shell.channel.close()


def _open_at_last(connection: HeldConnection, opening: Opening) -> Shell:
    """A shell in the lifeline's room, which a server gives free when it has seen that end. Raises ChannelRefused."""
    deadline = time.monotonic() + ROOM_TIMEOUT
    while True:
        try:
            return connection.open_shell(opening)
        except ChannelRefused:
            if time.monotonic() > deadline:
                raise
        time.sleep(ROOM_PAUSE)


class ConnectionSet:
    """All links to a target. Usable from any thread."""

    def __init__(self, driver: Driver, login: bool) -> None:
        self._driver = driver
        self._login = login
        self._connections: list[HeldConnection] = []
        self._lock = threading.Lock()
        self._connecting = threading.Lock()
        self._attempts = 0
        self.login_time = 0.0
        """Seconds that the latest login took, with the questions it asked."""
        self._failure: Exception | None = None

    def __iter__(self) -> Iterator[HeldConnection]:
        with self._lock:
            return iter(list(self._connections))

    @property
    def attempts(self) -> int:
        """How many times it was tried to connect."""
        return self._attempts

    def connect(self, caller: Caller, pty: Pty | None, known: int) -> ShellLease | None:
        """A shell on a new link; None if another caller made one while this one waited: there may be room on that.

        `known` is the value of `attempts` when the caller found no room. Callers who wait for a login that fails get
        its error, so that nobody is asked for the same password twice. Raises ConnectError.
        """
        if self._connecting.locked():
            caller.progress(f"waiting for another command to connect to `{self._driver.target}`")
        with self._connecting:
            caller.progress(f"connecting to `{self._driver.target}`")
            if self._attempts != known:
                if self._failure is not None:
                    raise self._failure
                return None
            started, self._failure = time.monotonic(), None
            try:
                connection = HeldConnection(self._driver.connect(caller), self._login)
                caller.progress(f"starting a shell on `{self._driver.target}`")
                lease = self._open_first(connection, Opening(pty, self._driver.variables(caller)))
                self.login_time = time.monotonic() - started
            except CallerGone:
                raise
            except Exception as error:
                self._failure = error
                raise
            finally:
                self._attempts += 1
            with self._lock:
                self._connections.append(lease.connection)
            return lease

    @staticmethod
    def _open_first(connection: HeldConnection, opening: Opening) -> ShellLease:
        """The first shell of a link, which nobody else knows yet. Raises ConnectError."""
        try:
            connection.start_lifeline()
            try:
                return ShellLease(connection.open_shell(opening), connection, opening)
            except ChannelRefused:
                connection.give_up_lifeline()
                return ShellLease(_open_at_last(connection, opening), connection, opening)
        except (ChannelRefused, LinkLost) as error:
            connection.close()
            raise ConnectError("the target refused to open a session", str(error), "see `rdoctl doctor`") from None
        except BaseException:
            connection.close()
            raise

    def discard(self, connection: HeldConnection) -> None:
        """Close a link and forget it."""
        with self._lock:
            if connection in self._connections:
                self._connections.remove(connection)
        connection.close()

    def close(self) -> None:
        """Close all, and end all that runs over them."""
        for connection in self:
            connection.keep_nothing()
            self.discard(connection)
