"""The order of a measurement: warm-ups, then rdo and peer in turns, so that both run under the same conditions."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

COMMAND_INTERVAL = 0.02
"""Seconds between two commands, as with a person or a Makefile, in which a used warm shell can be replaced."""

WARM_UPS = 3
"""Runs of each side that do not count: they fill the system's caches, log in and open the first warm shell."""

Sample = Callable[[], float]


@dataclass(frozen=True)
class Pairs:
    """The samples of both sides, in the order of the runs."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]


def interleave(ours: Sample, theirs: Sample, repetitions: int, warm_ups: int = WARM_UPS) -> Pairs:
    """Measure both sides in turns. A sample is a function that returns the measured value."""
    pairs = [(_pause(ours), _pause(theirs)) for _ in range(warm_ups + repetitions)][warm_ups:]
    return Pairs(tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs))


def _pause(sample: Sample) -> float:
    time.sleep(COMMAND_INTERVAL)
    return sample()
