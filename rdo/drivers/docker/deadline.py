"""The time by which all of an answer has to be there. Pure, but for the clock."""

from __future__ import annotations

import time


class Deadline:
    """So many seconds from now; None: whenever it comes."""

    def __init__(self, timeout: float | None) -> None:
        self._end = None if timeout is None else time.monotonic() + timeout

    def left(self) -> float | None:
        """Seconds until then. Raises TimeoutError: to send a byte now and then is no better than to be mute."""
        if self._end is None:
            return None
        if (left := self._end - time.monotonic()) <= 0:
            raise TimeoutError
        return left
