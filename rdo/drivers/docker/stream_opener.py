"""Starts the programs of program_stream.py, in threads of its own: for a loop that must not wait."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from rdo.errors import SetupError
from rdo.util import threads

OPENER_LIMIT = 16
"""Programs started at a time: the engine takes some 50 ms for each, and many at once no less."""


class StreamOpener:
    """Usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Guards both below."""
        self._waiting: deque[Callable[[], None]] = deque()
        self._threads = 0

    def submit(self, act: Callable[[], None]) -> None:
        """Do it soon. Raises SetupError."""
        with self._lock:
            self._waiting.append(act)
            if self._threads >= OPENER_LIMIT:
                return
            self._threads += 1
        try:
            threads.start(self._work, name="open")
        except SetupError:
            with self._lock:
                self._threads -= 1
            raise

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads -= 1
                    return
                act = self._waiting.popleft()
            act()
