"""Which of the targets that are connected a command of `rdoctl` means: by name, or those of the project."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from rdo import project
from rdo.cli.masters import MasterInfo, TargetInfo
from rdo.errors import RdoError, printable
from rdo.util.phrases import nearest

Chosen = Callable[[TargetInfo], bool]


def of(found: Sequence[MasterInfo], target: str | None, profile: str | None) -> Chosen:
    """Which targets are meant. Raises RdoError for a name that none has, and ConfigError outside of a project."""
    if target is None:
        here = project.discover(os.environ)
        return lambda each: each.is_used_by(here.config, profile)
    names = sorted({each.name for master in found for each in master.targets})
    if target not in names:
        hint = nearest(target, names) or "see `rdoctl status`"
        raise RdoError(f"there is no connection to `{printable(target)}`", "", hint)
    return lambda each: each.name == target
