"""The output of `-v`."""

from __future__ import annotations

import time

from rdo.client import stdout


class Trace:
    """The steps of a command with their times, on stderr, for `-v`."""

    def __init__(self, verbose: bool, began: float) -> None:
        """`began` is when this process started, by time.monotonic()."""
        self._verbose = verbose
        self._began = began

    def step(self, name: str, at: float | None = None, end: bytes = b"\n") -> None:
        """Print when the step was done: now, or `at` so many seconds after the process started."""
        if self._verbose:
            seconds = time.monotonic() - self._began if at is None else at
            stdout.write(2, b"rdo: %7.1f ms  %s" % (seconds * 1000, name.encode()) + end)
