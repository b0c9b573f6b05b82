"""From a container's mounts to the directories that both sides see: pure.

What is mounted over a part of a mount hides that part: there a path of this machine and the matching one in the
container hold different files, and no command may run in one for the other.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence

from rdo.drivers.base import Root
from rdo.drivers.docker.inspect import ContainerMount, InspectedContainer
from rdo.errors import RdoError
from rdo.util.phrases import listed

DESKTOP_PREFIX = "/host_mnt"
"""Docker Desktop shows this machine's directories below it."""

READ_ONLY = "read-only"

LIST_LIMIT = 3
"""Mounted directories that an error lists."""


def roots(container: InspectedContainer, resolve: Callable[[str], str]) -> list[Root]:
    """What is mounted from here, and, not shared, what of it is hidden.

    `resolve` follows links: the engine names a source as it was given, and we have to do with physical paths. Of
    several places of one directory the one that the WORKDIR is in counts, then one that can be written.
    """
    mounts = [mount._replace(destination=normalized(mount.destination)) for mount in container.mounts]
    found: dict[str, Root] = {}
    workdir = normalized(container.workdir)
    for mount in sorted(mounts, key=lambda mount: (not contains(mount.destination, workdir), mount[::-1])):
        for root in _shared(mount, resolve):
            found.setdefault(root.local, root)
    for root in list(found.values()):
        for hidden in _hidden(root, mounts, resolve):
            found.setdefault(hidden.local, hidden)
    return sorted(found.values())


def _shared(mount: ContainerMount, resolve: Callable[[str], str]) -> list[Root]:
    """The mounted directory, by the name that was given and by its physical one."""
    if mount.kind != "bind" or not mount.source.startswith("/"):
        return []
    is_desktop = mount.source.startswith(DESKTOP_PREFIX + "/")
    source = normalized(mount.source.removeprefix(DESKTOP_PREFIX) if is_desktop else mount.source)
    note = READ_ONLY if mount.read_only else ""
    return [Root(local, mount.destination, note) for local in dict.fromkeys((source, resolve(source)))]


def _hidden(root: Root, mounts: Sequence[ContainerMount], resolve: Callable[[str], str]) -> list[Root]:
    """The parts of a mounted directory over which something else is mounted."""
    found = []
    for mount in mounts:
        place = mount.destination
        if place == root.remote or not contains(root.remote, place):
            continue
        local = posixpath.join(root.local, posixpath.relpath(place, root.remote))
        if local not in [shared.local for shared in _shared(mount, resolve)]:
            what = "a directory" if mount.kind == "bind" else f"a {mount.kind}"
            found.append(Root(local, place, f"hidden: {what} is mounted over it", shared=False))
    return found


def normalized(path: str) -> str:
    """The path without `.`, `..` and superfluous slashes."""
    return posixpath.normpath(path).replace("//", "/")


def contains(directory: str, path: str) -> bool:
    """Whether the path is the directory, or below it."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def not_mounted(name: str, roots: Sequence[Root], project: str, directory: str) -> RdoError:
    """The error for a directory of the project of which nothing is mounted in the container."""
    near = [
        root.local for root in roots if root.shared and (contains(project, root.local) or contains(root.local, project))
    ]
    inside = any(contains(directory, local) for local in near)
    what = f"{'this directory is not' if inside else 'nothing of this directory is'} mounted in `{name}`"
    others = f", or `cd` to a mounted directory: {listed(near, LIST_LIMIT)}" if near else ""
    return RdoError(what, "", f"set `directory`{others}")
