"""Finds the connected targets that a command of `rdoctl` is for: by name, or those of the project."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from rdo import project
from rdo.cli.masters import MasterInfo, TargetInfo
from rdo.errors import RdoError, printable
from rdo.util.phrases import nearest

Chosen = Callable[[TargetInfo], bool]


def of(found: Sequence[MasterInfo], target: str | None, profile: str | None) -> Chosen:
    """A function that returns whether a target is meant. Raises RdoError if no target has the name, and ConfigError
    outside of a project, or if the project does not have the profile.
    """
    targets = [each for master in found for each in master.targets]
    if target is None:
        here = project.discover(os.environ)
        if profile is not None and not any(each.is_used_by(here.config, profile) for each in targets):
            from rdo.config import load  # takes longer to load than everything else here

            load.load(here.config, profile, project.user_file(os.environ))
        return lambda each: each.is_used_by(here.config, profile)
    names = sorted({each.name for each in targets})
    if target not in names:
        hint = nearest(target, names) or "see `rdoctl status`"
        raise RdoError(f"there is no connection to `{printable(target)}`", "", hint)
    return lambda each: each.name == target
