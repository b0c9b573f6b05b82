"""The user's own directory for what rdo keeps: below XDG_STATE_HOME, where no repository can write."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from rdo.errors import SetupError
from rdo.util import private_directory


def directory(environment: Mapping[str, str], name: str) -> str:
    """The path of a part of it."""
    base = environment.get("XDG_STATE_HOME", "")
    if not base.startswith("/"):
        base = os.path.join(environment.get("HOME", "/"), ".local", "state")
    return os.path.join(base, "rdo", name)


def make(path: str) -> None:
    """Make a part of it, and all above that is not there, for the user alone whatever the umask. Raises OSError."""
    private_directory.make(path)
    base = os.path.dirname(path)
    for each in (base, path):
        os.chmod(each, 0o700)  # others of rdo's files may have been there first


def check_private(path: str, info: os.stat_result) -> None:
    """Raises SetupError for what others made or can write."""
    if info.st_uid != os.geteuid():
        raise SetupError(f"`{path}` belongs to another user", f"uid {info.st_uid}", "remove it")
    if info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SetupError(f"`{path}` can be written by others", "", "remove it, and allow again what you trust")
