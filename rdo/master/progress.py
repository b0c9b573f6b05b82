"""Shows a waiting caller the current step and how long it has taken, from a thread of its own.

Nothing is sent in the first second, in which most waits end, so that quick commands pay nothing for it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from rdo.errors import SetupError
from rdo.util import threads

QUIET_GRACE = 1.0
"""Seconds of waiting before the first line is shown."""

SHOW_INTERVAL = 0.25
"""Seconds between two lines."""


class Progress:
    """The progress of one wait. `show` replaces the line shown before, and returns False if nobody sees it."""

    def __init__(self, show: Callable[[str], bool]) -> None:
        self._show = show
        self._step = ""
        self._began = time.monotonic()
        self._changed = threading.Condition()
        """Guards the step and whether the wait is over. Held while a line is shown, so that none follows `end`."""
        self._over = False

    @property
    def over(self) -> bool:
        """Whether nothing more is shown, because the wait has ended or nobody sees it."""
        return self._over

    def step(self, text: str) -> None:
        """Set the current step."""
        with self._changed:
            first = not self._step
            self._step = text
        if first:
            with contextlib.suppress(SetupError):  # progress is not essential
                threads.start(self._watch, name="progress")

    def end(self) -> None:
        """Stop. Nothing is shown after this has returned."""
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
