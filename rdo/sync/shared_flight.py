"""One piece of work for all who ask for it before it begins."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rdo.drivers.caller import CallerGone

LOOK_INTERVAL = 0.5
"""Seconds between two looks of those who wait whether they still have to."""


class _Flight:
    """Work that is to be done, or is being done, once."""

    def __init__(self) -> None:
        self.is_over = False
        self.failure: BaseException | None = None


class SharedFlight:
    """Work that is done by one thread at a time, for itself and for all who wait for the next time. From any thread.

    Who comes while it is being done waits for another one: what it is about may have changed since that began.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        """Guards what follows."""
        self._next: _Flight | None = None
        self._is_busy = False

    def run(self, work: Callable[[], object], look: Callable[[], object]) -> None:
        """Have it done, by this thread or another one. Raises what it raises; `look` is called while another is at it.

        If whoever did it has gone away meanwhile, somebody else who waits does it.
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
        """Wait for the turn of this flight: whether it is to be done by this thread, and not over by now."""
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
