"""Work that is done once for all who ask for it before it begins."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rdo.drivers.caller import CallerGone

LOOK_INTERVAL = 0.5
"""Seconds between two checks by those who wait whether they should continue to."""


class _Flight:
    """Work that is to be done, or is being done, once."""

    def __init__(self) -> None:
        self.is_over = False
        self.failure: BaseException | None = None


class SharedFlight:
    """Work that one thread at a time does, for itself and for all who wait for the next time. Thread-safe.

    Whoever asks while it is being done waits for the next time, since things may have changed since it began.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        """Guards everything below."""
        self._next: _Flight | None = None
        self._is_busy = False

    def run(self, work: Callable[[], object], look: Callable[[], object]) -> None:
        """Have the work done, by this thread or another one. Raises what the work raises; `look` is called while
        another thread does it.

        If the thread that did it has lost its caller meanwhile, another one that waits does it.
        """
        while True:
            with self._changed:
                flight = self._next = self._next or _Flight()
            if self._is_ours(flight, look):
                self._fly(flight, work)
            if not isinstance(flight.failure, CallerGone):
                break
        if flight.failure is not None:
            raise flight.failure

    def _is_ours(self, flight: _Flight, look: Callable[[], object]) -> bool:
        """Wait for the turn of this flight, and return whether this thread is to do it, and it is not over by now."""
        while True:
            with self._changed:
                if flight.is_over:
                    return False
                if not self._is_busy:
                    self._next, self._is_busy = None, True
                    return True
                self._changed.wait(LOOK_INTERVAL)
            look()

    def _fly(self, flight: _Flight, work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            flight.failure = error
            if isinstance(error, CallerGone):
                raise
        finally:
            with self._changed:
                flight.is_over, self._is_busy = True, False
                self._changed.notify_all()
