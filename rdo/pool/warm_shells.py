"""The warm shells, which are ready and wait for a command, and how many of each kind are needed. Opens and closes
none."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from rdo.drivers.base import ChannelOptions
from rdo.pool.connection import HeldConnection
from rdo.pool.connections import ShellLease

WARM_AGE_LIMIT = 300.0
"""Seconds that a shell may wait, since the environment that its login set up becomes outdated."""

WARM_LIMIT = 8
"""Most warm shells of one kind, however many commands arrive at a time: sshd allows 10 channels per connection."""


class WarmShells:
    """The warm shells of one target. Thread-safe. Whoever takes a shell has it exclusively, and must close it."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        """Guards everything below. Notified when there is something to prepare, and at the end."""
        self._waiting: list[ShellLease] = []
        self._kinds: list[ChannelOptions] = []
        """The kinds that were used recently, at most one of each family."""
        self._demand = 0
        self._least = 1
        """The number of shells of a kind without a pty to keep ready when no burst is expected."""
        self._used = time.monotonic()
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the set is closed."""
        return self._closed

    @property
    def unused_for(self) -> float:
        """Seconds since a command began or ended."""
        return time.monotonic() - self._used

    @property
    def kinds(self) -> list[ChannelOptions]:
        """The kinds that were used recently: with a pty and without, from a login shell and without."""
        with self.changed:
            return list(self._kinds)

    def use(self, opening: ChannelOptions, *, waited: bool, for_job: bool = False) -> None:
        """Note that a command has a shell of this kind. If no shell `waited` for it, one more is needed from now on.

        With `for_job`, demand does not rise so: jobs come one after another. See `expect_jobs`.
        """
        with self.changed:
            others = [each for each in self._kinds if _family(each) != _family(opening)]
            self._kinds = [*others, opening]
            if not waited:
                self._demand = max(self._demand, 1) if for_job else min(WARM_LIMIT, self._demand + 1)
            self._used = time.monotonic()

    def leave(self, connection: HeldConnection) -> None:
        """Note that a command has ended, so that there may be room on its connection."""
        with self.changed:
            connection.full = False
            self._used = time.monotonic()

    def take(self, opening: ChannelOptions) -> ShellLease | None:
        """Take a shell of the kind for a command, but none on a silent connection."""
        with self.changed:
            fitting = self._of_kind(opening)
            return self._take([lease for lease in fitting if not lease.connection.keepalive.is_silent])

    def take_from(self, connection: HeldConnection) -> ShellLease | None:
        """Take a shell on the connection, to use its room for another."""
        with self.changed:
            return self._take([lease for lease in self._waiting if lease.connection is connection])

    def forget(self, connection: HeldConnection) -> None:
        """Forget the shells on a connection that is dead."""
        with self.changed:
            self._waiting = [lease for lease in self._waiting if lease.connection is not connection]

    def add(self, ready: Sequence[ShellLease]) -> bool:
        """Add shells, and return whether that was possible: it is not after `close`."""
        with self.changed:
            if not self._closed:
                self._waiting += ready
            return not self._closed

    def missing(self, opening: ChannelOptions) -> int:
        """How many more shells of a kind are needed."""
        with self.changed:
            ready = [lease for lease in self._of_kind(opening) if not lease.connection.keepalive.is_silent]
            return 0 if self._closed else self._wanted(opening) - len(ready)

    def calm(self) -> None:
        """Note that no burst is expected, so that one shell of a kind will do."""
        with self.changed:
            self._demand = 1

    def expect_jobs(self) -> None:
        """Note that many commands come with a job, such as a push of files, which needs a second shell."""
        self._least = 2

    def _wanted(self, opening: ChannelOptions) -> int:
        """How many shells of a kind are needed in all; 0 before the first command."""
        return max(self._demand, self._least if self._demand and opening.pty is None else 0)

    def evict(self) -> list[ShellLease]:
        """Remove and return shells that are old, ended, too many, or of a kind that is no longer used."""
        now = time.monotonic()
        with self.changed:
            old = [lease for lease in self._waiting if lease.age(now) > WARM_AGE_LIMIT or lease.shell.channel.ended]
            fitting = [self._of_kind(opening)[: self._wanted(opening)] for opening in self._kinds]
            old += [lease for lease in self._waiting if not any(lease in kind for kind in fitting)]
            self._waiting = [lease for lease in self._waiting if lease not in old]
        return old

    def close(self) -> list[ShellLease]:
        """Close the set, and return all shells."""
        with self.changed:
            self._closed = True
            self.changed.notify_all()
            waiting, self._waiting = self._waiting, []
        return waiting

    def _take(self, fitting: Sequence[ShellLease]) -> ShellLease | None:
        if not fitting:
            return None
        self._waiting.remove(fitting[0])
        return fitting[0]

    def _of_kind(self, opening: ChannelOptions) -> list[ShellLease]:
        """The shells that could be used for these options: a terminal's size can be changed later, variables cannot."""
        pty = opening.pty is not None
        return [lease for lease in self._waiting if lease.shell.pty == pty and lease.opening[1:] == opening[1:]]


def _family(opening: ChannelOptions) -> tuple[bool, bool]:
    """The family of these options. In each family, only the kind that was used last is kept ready."""
    return opening.pty is not None, opening.login
