"""When a peer was last heard from, and who waits for the next time."""

from __future__ import annotations

from collections.abc import Callable

from rdo.util import clock


class SignOfLife:
    """That of one peer, noted by whoever receives. Usable from any thread."""

    def __init__(self, elapsed: Callable[[], float] = clock.elapsed) -> None:
        self._elapsed = elapsed
        self.at = elapsed()
        """By a clock that goes on while the machine sleeps."""
        self.is_last = False
        """Whether no more will come."""
        self._waiting: list[Callable[[], None]] = []

    def note(self) -> None:
        """It was heard from."""
        self.at = self._elapsed()
        if self._waiting:
            self._wake()

    def end(self) -> None:
        """It has gone, or was given up."""
        self.is_last = True
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            call()

    def when_next(self, call: Callable[[], None]) -> None:
        """Call this, once, with the next sign of life or at the end, in the thread that notes it."""
        self._waiting.append(call)
