"""What a process inherits and, without privileges, cannot raise again: its niceness and its hard limits.

Where the system shows them to the process itself alone (limits, on macOS), they are ignored.
"""

from __future__ import annotations

import itertools
import os
import resource
from typing import NamedTuple

LIMITS = tuple(sorted({getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}))
"""The numbers of the limits that this system has."""


class ProcessLimits(NamedTuple):
    """`limits` are pairs of a soft and a hard limit, in the order of LIMITS; empty where they are not shown."""

    nice: int
    limits: tuple[tuple[int, int], ...]

    def allow(self, other: ProcessLimits) -> bool:
        """Whether a process that has these can start one that has the `other` ones."""
        if self == other:  # as a rule
            return True
        pairs = zip(self.limits, other.limits, strict=False)
        infinite = resource.RLIM_INFINITY
        return self.nice <= other.nice and all(
            ours == infinite or (theirs != infinite and ours >= theirs) for (_, ours), (_, theirs) in pairs
        )


def limits_of(pid: int) -> ProcessLimits | None:
    """Those of a process of the same user; 0 is this process. None where it has ended."""
    try:
        return ProcessLimits(os.getpriority(os.PRIO_PROCESS, pid), _limits(pid))
    except OSError:
        return None


def apply_limits(pid: int, limits: ProcessLimits) -> None:
    """Set the limits of a process of ours, as far as the system allows. Never raises: the process may have ended."""
    try:
        os.setpriority(os.PRIO_PROCESS, pid, limits.nice)
        if hasattr(resource, "prlimit"):
            for number, pair in zip(LIMITS, limits.limits, strict=False):
                resource.prlimit(pid, number, pair)
    except (OSError, ValueError):
        return


def _limits(pid: int) -> tuple[tuple[int, int], ...]:
    if hasattr(resource, "prlimit"):
        return tuple(map(resource.prlimit, itertools.repeat(pid), LIMITS))
    return tuple(map(resource.getrlimit, LIMITS)) if pid == 0 else ()
