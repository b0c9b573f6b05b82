"""What a process has of whoever started it and an unprivileged one cannot give up: its niceness, and its hard limits.

Where the system tells them of other processes only to these (limits, on macOS), they do not count.
"""

from __future__ import annotations

import os
import resource
from typing import NamedTuple

LIMITS = tuple(sorted({getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}))
"""Those of this system, by number."""


class ProcessLimits(NamedTuple):
    """`limits` are pairs of the soft and the hard one, in the order of LIMITS; empty if they cannot be told."""

    nice: int
    limits: tuple[tuple[int, int], ...]

    def allow(self, other: ProcessLimits) -> bool:
        """Whether a process in these can start one in the `other` ones."""
        pairs = zip(self.limits, other.limits, strict=False)
        return self.nice <= other.nice and all(_reaches(ours, theirs) for (_, ours), (_, theirs) in pairs)


def limits_of(pid: int) -> ProcessLimits | None:
    """Those of a process of the same user; 0 is this one. None if they cannot be told, as when it has ended."""
    try:
        return ProcessLimits(os.getpriority(os.PRIO_PROCESS, pid), _limits(pid))
    except OSError:
        return None


def apply_limits(pid: int, wanted: ProcessLimits) -> None:
    """Have a process of ours continue in these, as far as the system allows. Raises nothing: it may have ended."""
    try:
        os.setpriority(os.PRIO_PROCESS, pid, wanted.nice)
        if hasattr(resource, "prlimit"):
            for kind, pair in zip(LIMITS, wanted.limits, strict=False):
                resource.prlimit(pid, kind, pair)
    except (OSError, ValueError):
        return


def _limits(pid: int) -> tuple[tuple[int, int], ...]:
    if hasattr(resource, "prlimit"):
        return tuple(resource.prlimit(pid, kind) for kind in LIMITS)
    return tuple(map(resource.getrlimit, LIMITS)) if pid == 0 else ()


def _reaches(ours: int, theirs: int) -> bool:
    return ours == resource.RLIM_INFINITY or (theirs != resource.RLIM_INFINITY and ours >= theirs)
