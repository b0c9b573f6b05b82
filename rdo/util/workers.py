"""Threads that do what takes a moment, for those that must not wait: a few, and none while there is nothing to do."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from rdo.errors import SetupError
from rdo.util import threads

WORKER_LIMIT = 16
"""At a time. What they do waits for others: a Docker engine takes some 50 ms to start a program, and for many at once
no less.
"""


class Workers:
    """Usable from any thread."""

    def __init__(self, name: str) -> None:
        """`name`: of the threads."""
        self._name = name
        self._lock = threading.Lock()
        """Guards both below."""
        self._waiting: deque[Callable[[], None]] = deque()
        self._threads = 0

    def submit(self, act: Callable[[], None]) -> None:
        """Do it soon. Raises SetupError."""
        with self._lock:
            self._waiting.append(act)
            if self._threads >= WORKER_LIMIT:
                return
            self._threads += 1
        try:
            threads.start(self._work, name=self._name)
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
