"""When a control master ends: some time after it has closed its last connection, when asked to, or when replaced."""

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
"""Seconds between two checks whether the socket is still this master's."""

UNUSED_TIMEOUT = 600.0
"""Seconds that a master without connections stays, since starting another one takes longer than a command."""


class MasterState(Enum):
    """The state of a master."""

    LISTENING = auto()
    """It accepts commands."""
    DRAINING = auto()
    """It accepts no more commands; those that are running continue."""
    ENDED = auto()
    """Nothing is being served any more, or the time limit for that is over."""


NEXT = {MasterState.LISTENING: MasterState.DRAINING, MasterState.DRAINING: MasterState.ENDED}
"""The state that follows each one. There are no other transitions."""


class Lifetime:
    """The lifetime of one master. Thread-safe."""

    def __init__(self, listener: ControlListener, targets: TargetTable, unused_timeout: float = UNUSED_TIMEOUT) -> None:
        self._listener = listener
        self._targets = targets
        targets.opened = self.look
        self._unused_timeout = unused_timeout
        self._used = time.monotonic()
        self._changed = threading.Condition()
        """Guards the state, the times, and the number of connections that are served."""
        self._ends_by = math.inf
        self._state = MasterState.LISTENING
        self.served = ActiveCount(self._changed, lambda: self.ending)
        """Connections whose first frame has arrived. A client whose connection ends before it is served can ask another
        master."""

    @property
    def ending(self) -> bool:
        """Whether the master accepts no more commands."""
        return self._state is not MasterState.LISTENING

    def use(self) -> None:
        """Note that a command has just run, or that a connection was open."""
        self._used = time.monotonic()

    def look(self) -> None:
        """Check the state again, since something has changed."""
        with self._changed:
            self._changed.notify_all()

    def end(self, why: str) -> None:
        """Accept no more commands; those that are running continue. `why` is for the log."""
        with self._changed:
            self._drain(why)

    def end_within(self, seconds: float, why: str) -> None:
        """Accept no more commands, and wait at most so many seconds for those that are running."""
        with self._changed:
            self._drain(why)
            self._ends_by = min(self._ends_by, time.monotonic() + seconds)
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until the master has ended, closing idle targets meanwhile."""
        with self._changed:
            while self._state is not MasterState.ENDED:
                self._changed.wait(self._look())

    def _look(self) -> float:
        """Advance the state if it is time, and return the seconds until the next check. Never raises."""
        left = LOOK_INTERVAL
        with log.contained():
            left = 0.0 if self._advance() is MasterState.ENDED else self._until_next_look()
        return left

    def _advance(self) -> MasterState:
        """Advance the state if it is time. Call with the lock held."""
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
        """Seconds until an unused master ends; infinite while it has connections."""
        if self.served.count or self._targets.pools:
            return math.inf
        return max(0.0, self._used + self._unused_timeout - time.monotonic())

    def _until_next_look(self) -> float:
        """Seconds until something may be due. A command need not announce itself here, since it only postpones an idle
        end."""
        idle = (left if (left := pool.idle_left) is not None else pool.idle_timeout for pool in self._targets.pools)
        due = min((seconds for seconds in idle if seconds), default=LOOK_INTERVAL)
        return max(0.0, min(LOOK_INTERVAL, due, self._unused_left(), self._ends_by - time.monotonic()))
