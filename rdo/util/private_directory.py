"""The directories below a home in which rdo keeps files: made for their owner alone, and never another user's.

`sudo rdo` may have the HOME of who typed it: root would make its files wherever that user's links lead.
"""

from __future__ import annotations

import contextlib
import errno
import os

NOBODY = 65534
"""Who owns, inside a user namespace, what belongs to users that it does not know, such as `/`."""


def make(path: str) -> None:
    """Make the directory, and those above it, whatever the umask is. Raises OSError."""
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
            os.chmod(each, 0o700)  # under a umask of 0177 nobody, not even we, could enter it ever after


def check(path: str) -> None:
    """Raises OSError where we are root, and a file or directory on the way to the path belongs to another user."""
    if os.geteuid() != 0:
        return
    for place in _on_the_way(path):
        try:
            owner = os.lstat(place).st_uid
        except OSError:
            continue  # it is still to be made
        if owner not in (0, NOBODY):
            why = f"`{place}` belongs to another user (uid {owner}) and you are root, use `sudo -H`"
            raise PermissionError(errno.EPERM, why, path)


def _on_the_way(path: str) -> list[str]:
    """The path and all that is above it, the topmost first; and where the links in it lead."""
    found: list[str] = []
    for start in (os.path.abspath(path), os.path.realpath(path)):
        place, ways = start, [start]
        while (above := os.path.dirname(place)) != place:
            place = above
            ways.append(place)
        found += reversed(ways)
    return found
