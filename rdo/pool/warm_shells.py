"""The shells that wait, ready, for a command, and how many of which kind there should be. Opens and closes none."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from rdo.drivers.base import ChannelOptions
from rdo.pool.connection import HeldConnection
from rdo.pool.connections import ShellLease

WARM_AGE_LIMIT = 300.0
"""Seconds that a shell may wait: the environment that its login set up grows old."""

WARM_LIMIT = 8
"""Warm shells of one kind at most, however many commands come at a time: sshd allows 10 channels a connection."""


class WarmShells:
    """Those of one target. Usable from any thread. Whoever gets one has it alone, and has to close it."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        """Guards all that follows. Notified when there is something to prepare, and at the end."""
        self._waiting: list[ShellLease] = []
        self._kinds: list[ChannelOptions] = []
        """What was asked for recently, at most one of each family."""
        self._demand = 0
        self._least = 1
        """How many of a kind without a pty there should be though no burst is to be expected."""
        self._used = time.monotonic()
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether there are to be none any more."""
        return self._closed

    @property
    def unused_for(self) -> float:
        """Seconds since a command began or ended."""
        return time.monotonic() - self._used

    @property
    def kinds(self) -> list[ChannelOptions]:
        """What was asked for recently: with a pty and without, by a login shell and without."""
        with self.changed:
            return list(self._kinds)

    def use(self, opening: ChannelOptions, *, waited: bool, for_job: bool = False) -> None:
        """A command has a shell that was opened so; had none `waited`, there should be one more.

        Not for its jobs, which come one after another: for these, see `expect_jobs`.
        """
        with self.changed:
            others = [each for each in self._kinds if _family(each) != _family(opening)]
            self._kinds = [*others, opening]
            if not waited:
                self._demand = max(self._demand, 1) if for_job else min(WARM_LIMIT, self._demand + 1)
            self._used = time.monotonic()

    def leave(self, connection: HeldConnection) -> None:
        """The command has ended, so that there may be room on its connection."""
        with self.changed:
            connection.full = False
            self._used = time.monotonic()

    def take(self, opening: ChannelOptions) -> ShellLease | None:
        """One of the kind, for a command: none on a connection that is silent."""
        with self.changed:
            fitting = self._of_kind(opening)
            return self._take([lease for lease in fitting if not lease.connection.keepalive.is_silent])

    def take_from(self, connection: HeldConnection) -> ShellLease | None:
        """One on the connection, for the room that it takes."""
        with self.changed:
            return self._take([lease for lease in self._waiting if lease.connection is connection])

    def forget(self, connection: HeldConnection) -> None:
        """The connection is dead, and so are those on it."""
        with self.changed:
            self._waiting = [lease for lease in self._waiting if lease.connection is not connection]

    def add(self, ready: Sequence[ShellLease]) -> bool:
        """Have them wait: whether they do, and it is not the end."""
        with self.changed:
            if not self._closed:
                self._waiting += ready
            return not self._closed

    def missing(self, opening: ChannelOptions) -> int:
        """How many of a kind there should be besides those that there are."""
        with self.changed:
            ready = [lease for lease in self._of_kind(opening) if not lease.connection.keepalive.is_silent]
            return 0 if self._closed else self._wanted(opening) - len(ready)

    def calm(self) -> None:
        """No burst is to be expected: one of a kind will do."""
        with self.changed:
            self._demand = 1

    def expect_jobs(self) -> None:
        """Many a command comes with a job, such as a push of files: that needs a shell beside the command's."""
        self._least = 2

    def _wanted(self, opening: ChannelOptions) -> int:
        """How many of a kind there should be; none before the first was asked for."""
        return max(self._demand, self._least if self._demand and opening.pty is None else 0)

    def evict(self) -> list[ShellLease]:
        """Give up those that are old, ended, too many, or of a kind that is no longer asked for."""
        now = time.monotonic()
        with self.changed:
            old = [lease for lease in self._waiting if lease.age(now) > WARM_AGE_LIMIT or lease.shell.channel.ended]
            fitting = [self._of_kind(opening)[: self._wanted(opening)] for opening in self._kinds]
            old += [lease for lease in self._waiting if not any(lease in kind for kind in fitting)]
            self._waiting = [lease for lease in self._waiting if lease not in old]
        return old

    def close(self) -> list[ShellLease]:
        """The end: give up all."""
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
        """Those that could have been opened so: a terminal's size can be changed, variables cannot."""
        pty = opening.pty is not None
        return [lease for lease in self._waiting if lease.shell.pty == pty and lease.opening[1:] == opening[1:]]


def _family(opening: ChannelOptions) -> tuple[bool, bool]:
    """Of one family, only the kind that was asked for last is kept ready."""
    return opening.pty is not None, opening.login
