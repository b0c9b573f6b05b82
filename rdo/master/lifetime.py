"""When a control master ends: idle long enough, asked to, or replaced by another one."""

from __future__ import annotations

import math
import threading
import time
from enum import Enum, auto

from rdo.master.listener import Listener
from rdo.util.active_count import ActiveCount

LOOK_INTERVAL = 30.0
"""Seconds between two looks whether the socket is still ours."""

UNUSED_TIMEOUT = 60.0
"""Seconds that a master stays of which no command was allowed: what a clone asks for counts once the user agrees."""


class MasterState(Enum):
    """Where a master stands."""

    LISTENING = auto()
    """It takes commands."""
    DRAINING = auto()
    """It takes no more; those that run go on."""
    ENDED = auto()
    """Nothing is served any more, or nobody waits for what is."""


NEXT = {MasterState.LISTENING: MasterState.DRAINING, MasterState.DRAINING: MasterState.ENDED}
"""Which state follows which: there is no other way, and none back."""


class Lifetime:
    """The life of one master. Usable from any thread."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._used = time.monotonic()
        self._changed = threading.Condition()
        """Guards the state, the times, and how much is served."""
        self._timeout = UNUSED_TIMEOUT
        self._ends_by = math.inf
        self._state = MasterState.LISTENING
        self.served = ActiveCount(self._changed, lambda: self.ending)
        """Connections whose first frame has come: while there is one, no idle time passes. One that ends before it is
        served leaves its client free to ask another master."""

    @property
    def ending(self) -> bool:
        """Whether it takes no more commands."""
        return self._state is not MasterState.LISTENING

    @property
    def idle_timeout(self) -> float:
        """Seconds without a command until the end; 0 for never."""
        return self._timeout

    def stay(self, seconds: float) -> None:
        """End after that time without a command from now on; 0: never."""
        if seconds != self._timeout:
            with self._changed:
                self._timeout = seconds
                self._changed.notify_all()

    @property
    def idle_for(self) -> float:
        """Seconds since something was asked for."""
        return time.monotonic() - self._used

    def use(self) -> None:
        """A command was here just now."""
        self._used = time.monotonic()

    def end(self) -> None:
        """Take no more commands; those that run go on."""
        with self._changed:
            self._drain()

    def end_within(self, seconds: float) -> None:
        """Take no more commands, and wait no longer than that for those that run."""
        with self._changed:
            self._drain()
            self._ends_by = min(self._ends_by, time.monotonic() + seconds)
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until the master has ended."""
        with self._changed:
            while self._advance() is not MasterState.ENDED:
                self._changed.wait(self._until_next_look())

    def _advance(self) -> MasterState:
        """Go on to the state that it is time for. With the lock."""
        if self._state is MasterState.LISTENING and (self._idle_left() == 0 or not self._listener.in_place):
            self._drain()
        if self._state is MasterState.DRAINING and (not self.served.count or time.monotonic() >= self._ends_by):
            self._state = NEXT[self._state]
        return self._state

    def _drain(self) -> None:
        if self._state is MasterState.LISTENING:
            self._state = NEXT[self._state]
            self._listener.leave()
            self._changed.notify_all()

    def _idle_left(self) -> float:
        """Seconds until the idle end; infinite while something is served, or if there is no such end."""
        if not self._timeout or self.served.count:
            return math.inf
        return max(0.0, self._timeout - self.idle_for)

    def _until_next_look(self) -> float:
        """Seconds until something may be due. No command, which puts the idle end off, has to say that it was here."""
        idle = self._timeout if self.served.count and self._timeout else self._idle_left()
        return max(0.0, min(LOOK_INTERVAL, idle, self._ends_by - time.monotonic()))
