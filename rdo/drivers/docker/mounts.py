"""Which directories both sides see, according to a container's mounts. Pure.

Something mounted over part of a mount hides that part: there, a local path and the corresponding one in the container
hold different files, and no command may run there.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rdo.drivers.docker.answer import EngineAnswer
from rdo.drivers.root import Root
from rdo.errors import RdoError
from rdo.util.phrases import listed

DESKTOP_PREFIX = "/host_mnt"
"""The directory below which Docker Desktop shows this machine's directories."""

READ_ONLY = "read-only"

LOCAL_VOLUME = "local"
"""The driver of volumes that are directories on the engine's host."""

DIRECTORY_LIST_LIMIT = 3
"""Mounted directories that an error lists."""


class ContainerMount(NamedTuple):
    """What is mounted at `destination`. `source` is a path on the engine's host if the kind is `bind`."""

    kind: str
    source: str
    destination: str
    read_only: bool = False
    volume: str = ""
    """The name of the volume, if it is mounted completely, and may be another name for a directory on the engine's
    host."""


def find(answer: EngineAnswer) -> list[ContainerMount]:
    """Everything mounted over the container's own files. `--tmpfs` is not among its mounts, but among the host's
    settings."""
    host = answer.maybe("HostConfig")
    parts = _parts_of_volumes(host) if host else set()
    found = []
    for each in answer.tables("Mounts"):
        place, is_local = each.text("Destination"), each.text("Driver", "") == LOCAL_VOLUME
        volume = each.text("Name", "") if is_local and place not in parts else ""
        source, read_only = each.text("Source", ""), not each.flag("RW", True)
        found.append(ContainerMount(each.text("Type", "bind"), source, place, read_only, volume))
    tmpfs = host.maybe("Tmpfs") if host else None
    return found + [ContainerMount("tmpfs", "", place) for place in (tmpfs.names() if tmpfs else ())]


def _parts_of_volumes(host: EngineAnswer) -> set[str]:
    """Mounts of a subdirectory of a volume."""
    return {
        mount.text("Target", "")
        for mount in host.tables("Mounts")
        if (options := mount.maybe("VolumeOptions")) and options.text("Subpath", "")
    }


def bound(mount: ContainerMount, volume: EngineAnswer) -> ContainerMount:
    """The mount of this volume, or of the directory that it stands for (`--opt o=bind`)."""
    options = volume.mapping("Options")
    words = set(options.get("o", "").split(","))
    if words.isdisjoint(("bind", "rbind")):
        return mount
    return mount._replace(kind="bind", source=options.get("device", ""), read_only=mount.read_only or "ro" in words)


def roots(mounts: Sequence[ContainerMount], workdir: str, resolve: Callable[[str], str]) -> list[Root]:
    """The directories mounted from here and, marked as not shared, the hidden parts of them.

    `resolve` resolves links: the engine reports a source as it was given, and rdo works with physical paths. If a
    directory is mounted at several places, the one that contains the WORKDIR is preferred, then one that is writable.
    """
    mounts = [mount._replace(destination=normalized(mount.destination)) for mount in mounts]
    found: dict[str, Root] = {}
    workdir = normalized(workdir)
    for mount in sorted(mounts, key=lambda mount: (not contains(mount.destination, workdir), *mount[3::-1])):
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
            found.append(Root(local, place, f"{what} is mounted over it", shared=False))
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
    others = f", or `cd` to a mounted directory: {listed(near, DIRECTORY_LIST_LIMIT)}" if near else ""
    return RdoError(what, "", f"set `directory`{others}")
