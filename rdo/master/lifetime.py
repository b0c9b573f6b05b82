"""When a control master ends: idle long enough, told to, or no longer the one that new commands come to."""

from __future__ import annotations

import math
import threading
import time

from rdo.master.listener import Listener
from rdo.util.active_count import ActiveCount

LOOK_AROUND = 30.0
"""Seconds between two looks whether the socket is still ours."""

UNUSED_TIMEOUT = 60.0
"""Seconds that a master stays of which no command was allowed: what a clone wishes counts once the user agrees."""


class Lifetime:
    """The life of one master. Usable from any thread."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._used = time.monotonic()
        self._changed = threading.Condition()
        self._timeout = UNUSED_TIMEOUT
        self._ends_by = math.inf
        self._ending = False
        self.connections = ActiveCount(self._changed, lambda: self._ending)
        """Those that are served: while there is one, no idle time passes."""

    @property
    def ending(self) -> bool:
        """Whether it takes no more commands."""
        return self._ending

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
            if not self._ending:
                self._ending = True
                self._listener.leave()
                self._changed.notify_all()

    def end_within(self, seconds: float) -> None:
        """Wait no longer than that for what is being served."""
        with self._changed:
            self._ends_by = min(self._ends_by, time.monotonic() + seconds)
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until it is time to end and nothing is served any more."""
        with self._changed:
            while not self._is_over():
                self._changed.wait(self._patience())
                if self._idle_left() == 0 or not self._listener.in_place:
                    self.end()

    def _is_over(self) -> bool:
        return self._ending and (not self.connections.count or time.monotonic() >= self._ends_by)

    def _idle_left(self) -> float | None:
        """Seconds until the idle end; None while a command runs, or if there is no such end."""
        if not self._timeout or self.connections.count:
            return None
        return max(0.0, self._timeout - self.idle_for)

    def _patience(self) -> float:
        """Seconds until the next look: so no command, which puts the end off, has to say that it was here."""
        left = self._idle_left()
        patience = min(LOOK_AROUND, (self._timeout or LOOK_AROUND) if left is None else left)
        return max(0.0, min(patience, self._ends_by - time.monotonic()))
