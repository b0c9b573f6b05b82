"""What a program that is started on this machine has of the caller that it is started for."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import NamedTuple

from rdo.drivers.base import Caller
from rdo.util import limits as circumstances
from rdo.util.limits import ProcessLimits

OF_MAKE = frozenset({"MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MAKE_TERMERR", "MAKE_TERMOUT", "MFLAGS"})
"""Of the make that the caller may be a recipe of: on no target are its options those of a make in the recipe."""

OF_SHELL = frozenset({"OLDPWD", "PWD", "SHLVL", "_"})
"""What a shell says of itself, and the one that runs the command of its own: these alone part no callers."""

USUAL_UMASK = 0o022
"""Where nothing tells the caller's, as on macOS."""


class CallerContext(NamedTuple):
    """What a program has of the caller that it is started for. `circumstances` and `processors`: None if not known."""

    environment: Mapping[str, str]
    umask: int
    circumstances: ProcessLimits | None
    processors: frozenset[int] | None

    def impose(self, pid: int) -> None:
        """Have a program that has just been started, and waits for its script, go on as the caller would."""
        if self.circumstances is not None:
            circumstances.apply_limits(pid, self.circumstances)
        if self.processors is not None:
            with contextlib.suppress(OSError):
                os.sched_setaffinity(pid, self.processors)


def of(caller: Caller) -> CallerContext:
    """Asks the system about the caller's process, where there is one to be seen."""
    left_out = OF_MAKE | OF_SHELL
    environment = {name: value for name, value in caller.environment.items() if name not in left_out}
    pid = caller.process
    if not pid:
        return CallerContext(environment, USUAL_UMASK, None, None)
    return CallerContext(environment, _umask(pid), circumstances.limits_of(pid), _processors(pid))


def _umask(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            return int(next(line for line in status if line.startswith("Umask:")).split()[1], 8)
    except (OSError, StopIteration, ValueError, IndexError):
        return USUAL_UMASK


def _processors(pid: int) -> frozenset[int] | None:
    try:
        return frozenset(os.sched_getaffinity(pid))
    except (OSError, AttributeError):
        return None
