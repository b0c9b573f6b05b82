"""The process groups of one command on its target: guarded while the command runs, and sent signals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rdo.errors import RdoError
from rdo.pool.connection import HeldConnection
from rdo.pool.shell import ProcessGroup, is_group

ENDING = frozenset({"INT", "TERM", "QUIT", "HUP"})
"""Signals that ask a command to end, with whatever status."""

KILL_GRACE = 2.0
"""Seconds between TERM and KILL for a command whose client is gone."""

LOOK_INTERVAL = 0.05
"""Seconds between two checks whether a group is gone, since each costs a round trip."""


class CommandGroups:
    """The process group of the command's shell and, on a pty, the one of the command itself."""

    def __init__(self, connection: HeldConnection, first: ProcessGroup) -> None:
        self._connection = connection
        self._groups = [first]
        self._keep = False

    def guard(self, *, keep: bool) -> None:
        """Have the groups ended if the connection is lost. With `keep` they are not, but can be signalled."""
        self._keep = keep
        self._guard(self._groups[0])

    def _guard(self, group: ProcessGroup) -> None:
        if self._keep:
            self._connection.keep(group)
        else:
            self._connection.guard(group)

    def join(self, number: str) -> None:
        """Add the command's own group, whose number it reports. There is at most one."""
        if len(self._groups) == 1 and is_group(number):
            self._groups.append(ProcessGroup(int(number), self._groups[0].shell))
            self._guard(self._groups[-1])

    def release(self) -> None:
        """Stop guarding the groups, since the command has ended."""
        for group in self._groups:
            self._connection.release(group)

    def signal(self, name: str) -> bool:
        """Send a signal to the command's own group, and return whether there is a lifeline to do so."""
        return self._connection.signal(self._groups[-1], name)

    def pass_on(self, name: str) -> None:
        """Send a signal that the client got. Raises RdoError if the client is to end the command, and cannot."""
        if not (self.signal(name) or self._connection.has_room_beside) and name in ENDING:
            why = "the target allows no second session beside it (MaxSessions)"
            hint = "it may still be running; with `rdo -t`, Ctrl-C reaches it"
            raise RdoError(f"cannot send SIG{name} to the command", why, hint)

    def signal_all(self, name: str) -> bool:
        """Send a signal to each group, and return whether there is a lifeline to do so."""
        return all([self._connection.signal(group, name) for group in self._groups])

    def hang_up(self) -> bool:
        """Do what a closing terminal does, then send TERM. Returns whether there is a lifeline to do so."""
        return all([self.signal_all(name) for name in ("HUP", "TERM", "CONT")])

    def are_gone_within(self, seconds: float) -> bool:
        """Wait for processes of the command that are left without holding its streams."""
        deadline = time.monotonic() + seconds
        while any(self._connection.is_left(group) for group in self._groups):
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_INTERVAL)
        return True

    def terminate(self, ended: threading.Event, is_cut: Callable[[], bool]) -> None:
        """End a command whose client or channel is gone, first as a closing terminal would, then by KILL.

        `ended` is set once the command has ended; `is_cut` reports that this will never be known. If the whole
        connection is lost, the lifeline's shell on the target ends the command.
        """
        if not self.hang_up():
            return
        if ended.wait(KILL_GRACE):
            # a child that was just being forked missed the first signal, since dash blocks signals meanwhile
            self.hang_up()
            if self.are_gone_within(KILL_GRACE):
                return
        if self.signal_all("KILL") and not is_cut():
            ended.wait(KILL_GRACE)
