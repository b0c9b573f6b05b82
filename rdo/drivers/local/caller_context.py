"""What a program that is started on this machine inherits from its caller, as if the caller had started it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import NamedTuple

from rdo.drivers.caller import Caller
from rdo.util.limits import ProcessLimits, apply_limits, limits_of

MAKE_VARIABLES = frozenset({"MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MAKE_TERMERR", "MAKE_TERMOUT", "MFLAGS"})
"""Variables that make sets for its recipes. If rdo runs in a recipe, a make that it starts on a target must not inherit
the options of the outer one."""

SHELL_VARIABLES = frozenset({"OLDPWD", "PWD", "SHLVL", "_"})
"""Variables that every shell sets for itself. Callers that differ only in these can share a connection."""

DEFAULT_UMASK = 0o022
"""Used where the system does not show the caller's umask, as on macOS."""


class CallerContext(NamedTuple):
    """What a program inherits. `limits` and `processors` are None where the system does not show the caller's."""

    environment: Mapping[str, str]
    umask: int
    limits: ProcessLimits | None
    processors: frozenset[int] | None

    @classmethod
    def of(cls, caller: Caller) -> CallerContext:
        """Ask the system about the caller's process, as far as it shows it."""
        left_out = MAKE_VARIABLES | SHELL_VARIABLES
        environment = {name: value for name, value in caller.environment.items() if name not in left_out}
        pid = caller.process
        if not pid:
            return cls(environment, DEFAULT_UMASK, None, None)
        return cls(environment, _umask(pid), limits_of(pid), _processors(pid))

    @property
    def login_directory(self) -> str:
        """Where a login starts: the home directory, or `/` if that cannot be entered, as with login(1)."""
        home = self.environment.get("HOME", "")
        return home if home.startswith("/") and os.path.isdir(home) and os.access(home, os.X_OK) else "/"

    def apply(self, pid: int) -> None:
        """Apply the limits and processors to a program that has just been started and is waiting for its script."""
        if self.limits is not None:
            apply_limits(pid, self.limits)
        if self.processors is not None:
            with contextlib.suppress(OSError):
                os.sched_setaffinity(pid, self.processors)


def _umask(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            return int(next(line for line in status if line.startswith("Umask:")).split()[1], 8)
    except (OSError, StopIteration, ValueError, IndexError):
        return DEFAULT_UMASK


def _processors(pid: int) -> frozenset[int] | None:
    try:
        return frozenset(os.sched_getaffinity(pid))
    except (OSError, AttributeError):
        return None
