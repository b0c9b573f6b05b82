"""When a control master ends: a while after it has closed its last connection, when asked to, or when replaced."""

from __future__ import annotations

import math
import threading
import time
from enum import Enum, auto

from rdo.master.listener import ControlListener
from rdo.pool.target_table import TargetTable
from rdo.util import log
from rdo.util.active_count import ActiveCount

LOOK_INTERVAL = 10.0
"""Seconds between two checks whether the socket is still ours."""

UNUSED_TIMEOUT = 600.0
"""Seconds that a master stays which holds no connection: starting another one takes longer than a command."""


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

    def __init__(self, listener: ControlListener, targets: TargetTable, unused_timeout: float = UNUSED_TIMEOUT) -> None:
        self._listener = listener
        self._targets = targets
        targets.opened = self.look
        self._unused_timeout = unused_timeout
        self._used = time.monotonic()
        self._changed = threading.Condition()
        """Guards the state, the times, and how much is served."""
        self._ends_by = math.inf
        self._state = MasterState.LISTENING
        self.served = ActiveCount(self._changed, lambda: self.ending)
        """Connections whose first frame has come. One that ends before it is served leaves its client free to ask
        another master."""

    @property
    def ending(self) -> bool:
        """Whether it takes no more commands."""
        return self._state is not MasterState.LISTENING

    def use(self) -> None:
        """A command was here just now, or a connection was held."""
        self._used = time.monotonic()

    def look(self) -> None:
        """There is something new to wait for."""
        with self._changed:
            self._changed.notify_all()

    def end(self, why: str) -> None:
        """Take no more commands; those that run go on. `why` is for the log."""
        with self._changed:
            self._drain(why)

    def end_within(self, seconds: float, why: str) -> None:
        """Take no more commands, and wait no longer than that for those that run."""
        with self._changed:
            self._drain(why)
            self._ends_by = min(self._ends_by, time.monotonic() + seconds)
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until the master has ended; close what is idle meanwhile."""
        with self._changed:
            while self._state is not MasterState.ENDED:
                self._changed.wait(self._look())

    def _look(self) -> float:
        """Go on to the state that it is time for: seconds until the next look, also after what nobody foresaw."""
        left = LOOK_INTERVAL
        with log.contained():
            left = 0.0 if self._advance() is MasterState.ENDED else self._until_next_look()
        return left

    def _advance(self) -> MasterState:
        """Go on to the state that it is time for. With the lock."""
        if self._targets.pools:
            self.use()
        self._targets.close_idle()
        if self._state is MasterState.LISTENING and self._unused_left() == 0:
            self._drain("nothing was held for a while")
        if self._state is MasterState.LISTENING and not self._listener.in_place:
            self._drain("another control master has taken its place")
        if self._state is MasterState.DRAINING and (not self.served.count or time.monotonic() >= self._ends_by):
            self._state = NEXT[self._state]
        return self._state

    def _drain(self, why: str) -> None:
        if self._state is MasterState.LISTENING:
            log.event(f"takes no more commands: {why}")
            self._state = NEXT[self._state]
            self._listener.leave()
            self._changed.notify_all()

    def _unused_left(self) -> float:
        """Seconds until the end of a master that holds nothing; infinite while it does."""
        if self.served.count or self._targets.pools:
            return math.inf
        return max(0.0, self._used + self._unused_timeout - time.monotonic())

    def _until_next_look(self) -> float:
        """Seconds until something may be due. No command, which puts an idle end off, has to say that it was here."""
        idle = (left if (left := pool.idle_left) is not None else pool.idle_timeout for pool in self._targets.pools)
        due = min((seconds for seconds in idle if seconds), default=LOOK_INTERVAL)
        return max(0.0, min(LOOK_INTERVAL, due, self._unused_left(), self._ends_by - time.monotonic()))
