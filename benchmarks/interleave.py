"""The order of a measurement: warm-up, then rdo, peer, rdo, peer, ... so that both see the same machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

COMMAND_INTERVAL = 0.02
"""Seconds between two commands, as a person or a Makefile leaves them: time for a warm shell to be replaced."""

WARM_UPS = 3
"""Runs of each side that do not count: caches of the system, the login, the first warm shell."""

Sample = Callable[[], float]


@dataclass(frozen=True)
class Pairs:
    """What both sides took, run by run."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]


def interleave(ours: Sample, theirs: Sample, repetitions: int, warm_ups: int = WARM_UPS) -> Pairs:
    """Take turns. A sample is a call that gives its figure."""
    pairs = [(_pause(ours), _pause(theirs)) for _ in range(warm_ups + repetitions)][warm_ups:]
    return Pairs(tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs))


def _pause(sample: Sample) -> float:
    time.sleep(COMMAND_INTERVAL)
    return sample()
