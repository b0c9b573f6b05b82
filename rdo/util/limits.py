"""What a process inherits and cannot raise again without privileges: its niceness and its hard limits.

Where a system shows them only to the process itself (the limits, on macOS), they are ignored.
"""

from __future__ import annotations

import itertools
import os
import resource
from typing import NamedTuple

LIMITS = tuple(sorted({getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}))
"""The numbers of the resource limits on this system."""


class ProcessLimits(NamedTuple):
    """`limits` has a pair of soft and hard limit for each of LIMITS; it is empty if the system does not show them."""

    nice: int
    limits: tuple[tuple[int, int], ...]

    def allow(self, other: ProcessLimits) -> bool:
        """Whether a process with these limits can start one with the `other` limits."""
        if self == other:  # the usual case
            return True
        pairs = zip(self.limits, other.limits, strict=False)
        infinite = resource.RLIM_INFINITY
        return self.nice <= other.nice and all(
            ours == infinite or (theirs != infinite and ours >= theirs) for (_, ours), (_, theirs) in pairs
        )


def limits_of(pid: int) -> ProcessLimits | None:
    """The limits of a process of the same user; 0 is this process. None if it has ended."""
    try:
        return ProcessLimits(os.getpriority(os.PRIO_PROCESS, pid), _limits(pid))
    except OSError:
        return None


def apply_limits(pid: int, limits: ProcessLimits) -> None:
    """Set the limits of a process of ours, as far as the system allows. Never raises, since the process may have
    ended."""
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
