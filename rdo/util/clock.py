"""Time that passes while the machine sleeps, beside time that does not."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import NamedTuple

if sys.platform == "darwin":
    _WITH_SUSPEND = time.CLOCK_MONOTONIC  # not what time.monotonic has there: that is CLOCK_UPTIME_RAW
else:
    _WITH_SUSPEND = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Instant(NamedTuple):
    """A point in time, in seconds since some other one, by both clocks."""

    elapsed: float
    """Goes on while the machine sleeps."""
    awake: float
    """Stands still then, as what waits does."""


Clock = Callable[[], Instant]


def elapsed() -> float:
    """Seconds since some point in time, those in which the machine slept included."""
    return time.clock_gettime(_WITH_SUSPEND)


def now() -> Instant:
    """The time by both clocks."""
    return Instant(elapsed(), time.monotonic())
