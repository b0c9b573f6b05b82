"""Two clocks: one that continues while the machine sleeps, and one that does not."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import NamedTuple

if sys.platform == "darwin":
    _WITH_SUSPEND = time.CLOCK_MONOTONIC  # not what time.monotonic uses there, which is CLOCK_UPTIME_RAW
else:
    _WITH_SUSPEND = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Instant(NamedTuple):
    """A point in time by both clocks, each in seconds from an arbitrary start."""

    elapsed: float
    """Continues while the machine sleeps."""
    awake: float
    """Stops while the machine sleeps, as timeouts do."""


Clock = Callable[[], Instant]


def elapsed() -> float:
    """Seconds since an arbitrary start, including those in which the machine slept."""
    return time.clock_gettime(_WITH_SUSPEND)


def now() -> Instant:
    """The current time by both clocks."""
    return Instant(elapsed(), time.monotonic())
