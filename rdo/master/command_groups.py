"""The process groups of one command on its target: guarded for as long as it runs, and sent signals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rdo.pool.connection import HeldConnection
from rdo.pool.shell import ProcessGroup, is_group

KILL_GRACE = 2.0
"""Seconds between TERM and KILL for a command whose client is gone."""

LOOK_INTERVAL = 0.05
"""Seconds between two checks whether a group is gone: each costs a round trip."""


class CommandGroups:
    """First that of its shell; then, on a pty, the one that the command has for itself."""

    def __init__(self, connection: HeldConnection, first: ProcessGroup) -> None:
        self._connection = connection
        self._groups = [first]
        self._keep = False

    def guard(self, *, keep: bool) -> None:
        """From now on, the loss of the connection ends them; `keep`: it does not, but they are known."""
        self._keep = keep
        self._guard(self._groups[0])

    def _guard(self, group: ProcessGroup) -> None:
        if self._keep:
            self._connection.keep(group)
        else:
            self._connection.guard(group)

    def join(self, number: str) -> None:
        """The command has a group of its own, as it says; no more than one."""
        if len(self._groups) == 1 and is_group(number):
            self._groups.append(ProcessGroup(int(number), self._groups[0].shell))
            self._guard(self._groups[-1])

    def release(self) -> None:
        """The command has ended."""
        for group in self._groups:
            self._connection.release(group)

    def signal(self, name: str) -> None:
        """Send a signal to the command's own."""
        self._connection.signal(self._groups[-1], name)

    def signal_all(self, name: str) -> bool:
        """Send a signal to each: whether there is somebody to do that."""
        return all([self._connection.signal(group, name) for group in self._groups])

    def hang_up(self) -> bool:
        """Do what a terminal does that closes, and send TERM: whether there is somebody to do that."""
        return all([self.signal_all(name) for name in ("HUP", "TERM", "CONT")])

    def are_gone_within(self, seconds: float) -> bool:
        """Wait for what is left of the command and holds no stream."""
        deadline = time.monotonic() + seconds
        while any(self._connection.is_left(group) for group in self._groups):
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_INTERVAL)
        return True

    def terminate(self, ended: threading.Event, is_cut: Callable[[], bool]) -> None:
        """Client or channel are gone: end the command, as the end of a terminal would, and then for sure.

        `ended` is set once it has; `is_cut`: that will not be known. If the whole connection is lost, the lifeline's
        far end ends it.
        """
        if not self.hang_up():
            return
        if ended.wait(KILL_GRACE):
            self.hang_up()  # a child that was just being forked missed the first: dash blocks signals meanwhile
            if self.are_gone_within(KILL_GRACE):
                return
        if self.signal_all("KILL") and not is_cut():
            ended.wait(KILL_GRACE)
