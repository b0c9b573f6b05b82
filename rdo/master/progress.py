"""What a caller sees while it waits: the current step and how long it has taken, shown by a thread of its own.

Nothing is sent in the first second, in which most waits are over, so that no quick command pays for this.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from rdo.errors import SetupError
from rdo.util import threads

QUIET_GRACE = 1.0
"""Seconds of waiting until the first line is shown."""

SHOW_INTERVAL = 0.25
"""Seconds between two lines."""


class Progress:
    """One wait. `show` shows a line in place of the one before, and is False if nobody is there to see it."""

    def __init__(self, show: Callable[[str], bool]) -> None:
        self._show = show
        self._step = ""
        self._began = time.monotonic()
        self._changed = threading.Condition()
        """Guards the step, and whether it is over; held while a line is shown, so that none comes after `end`."""
        self._over = False

    @property
    def over(self) -> bool:
        """Whether nothing is shown any more: it has ended, or nobody is there."""
        return self._over

    def step(self, text: str) -> None:
        """This is what goes on from now on."""
        with self._changed:
            first = not self._step
            self._step = text
        if first:
            with contextlib.suppress(SetupError):  # nothing of the command depends on it
                threads.start(self._watch, name="progress")

    def end(self) -> None:
        """Nothing is shown once this has returned."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _watch(self) -> None:
        shown, wait = "", QUIET_GRACE
        with self._changed:
            while not self._changed.wait_for(lambda: self._over, wait):
                line = f"{self._step} ({time.monotonic() - self._began:.0f} s)"
                if line != shown:
                    self._over = not self._show(line)
                shown, wait = line, SHOW_INTERVAL
