"""The directories below the home directory in which rdo keeps files: created private, and never in another user's home.

`sudo rdo` may run with HOME of the invoking user: root would then create files wherever that user's links lead.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Mapping

from rdo.errors import SetupError

NOBODY = 65534
"""The uid that a user namespace shows as the owner of files of unmapped users, such as `/`."""


def state_directory(environment: Mapping[str, str], name: str) -> str:
    """The path of a directory for rdo's state, below XDG_STATE_HOME, which no repository can write to."""
    return _below(environment, "XDG_STATE_HOME", ".local/state", name)


def cache_directory(environment: Mapping[str, str], name: str) -> str:
    """The path of a directory for what rdo can always find out again, below XDG_CACHE_HOME."""
    return _below(environment, "XDG_CACHE_HOME", ".cache", name)


def _below(environment: Mapping[str, str], variable: str, default: str, name: str) -> str:
    """rdo's directory in a base directory of the XDG specification, whose default below HOME is `default`."""
    base = environment.get(variable, "")
    if not base.startswith("/"):
        base = os.path.join(environment.get("HOME", "/"), default)
    return os.path.join(base, "rdo", name)


def make(path: str) -> None:
    """Create the directory and its parents, regardless of the umask. Raises OSError."""
    check(path)
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path, before = os.path.dirname(path), path
        if path == before:
            break
    for each in reversed(missing):
        with contextlib.suppress(FileExistsError):
            os.mkdir(each, 0o700)
            os.chmod(each, 0o700)  # under a umask of 0177 nobody could enter it, not even its owner


def make_state(path: str) -> None:
    """Create a directory for rdo's state, private to its owner, even if other files of rdo were there first.

    Raises OSError.
    """
    make(path)
    for each in (os.path.dirname(path), path):
        os.chmod(each, 0o700)


def check(path: str) -> None:
    """Raise OSError if this process runs as root, and the path or one of its parents belongs to another user."""
    if os.geteuid() != 0:
        return
    for place in _on_the_way(path):
        try:
            owner = os.lstat(place).st_uid
        except OSError:
            continue  # not created yet
        if owner not in (0, NOBODY):
            why = f"`{place}` belongs to another user (uid {owner}) and you are root, use `sudo -H`"
            raise PermissionError(errno.EPERM, why, path)


def check_private(path: str, info: os.stat_result) -> None:
    """Raise SetupError if other users created the file, or can write to it."""
    if info.st_uid != os.geteuid():
        hint = "use `sudo -H`" if os.geteuid() == 0 else "set HOME to a directory of yours, or remove it"
        raise SetupError(f"`{path}` belongs to another user", f"uid {info.st_uid}", hint)
    if info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SetupError(f"`{path}` can be written by others", "", "remove it, and allow what you trust again")


def _on_the_way(path: str) -> list[str]:
    """The path and all its parents, the topmost first, and what the links among them lead to."""
    found: list[str] = []
    for start in (os.path.abspath(path), os.path.realpath(path)):
        place, ways = start, [start]
        while (above := os.path.dirname(place)) != place:
            place = above
            ways.append(place)
        found += reversed(ways)
    return found
