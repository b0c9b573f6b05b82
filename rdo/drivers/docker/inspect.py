"""What the engine reports of containers, as values: an inspection, and an entry of a list; and which directories both
sides see by a container's mounts. Pure.

What is mounted over a part of a mount hides that part: there a path of this machine and the matching one in the
container hold different files, and no command may run in one for the other.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from rdo.drivers.docker import published_ports
from rdo.drivers.docker.answer import EngineAnswer
from rdo.drivers.docker.published_ports import PublishedPort
from rdo.drivers.root import Root
from rdo.errors import ConnectError, RdoError
from rdo.util.phrases import listed

NAME_LIMIT = 255
"""Characters of a name that are shown; the engine allows no longer host name either."""

RUNNING = "running"

CONTAINER_LIST_LIMIT = 10
"""Containers that an error lists."""

DESKTOP_PREFIX = "/host_mnt"
"""Docker Desktop shows this machine's directories below it."""

READ_ONLY = "read-only"

DIRECTORY_LIST_LIMIT = 3
"""Mounted directories that an error lists."""


class ContainerState(NamedTuple):
    """How a container is. `health` is `healthy`, `starting`, `unhealthy`; empty where it has no health check."""

    status: str
    running: bool
    paused: bool
    restarting: bool
    exit_code: int
    error: str
    health: str

    @property
    def runs(self) -> bool:
        return self.running and not self.restarting


class ContainerMount(NamedTuple):
    """What is mounted at `destination`; `source` is a path of the engine's host where the kind is `bind`."""

    kind: str
    source: str
    destination: str
    read_only: bool = False


class InspectedContainer(NamedTuple):
    """A container by its inspection."""

    id: str
    name: str
    image: str
    """The image's id."""
    labels: Mapping[str, str]
    mounts: Sequence[ContainerMount]
    workdir: str
    state: ContainerState
    env: Sequence[str] = ()
    """The variables of its programs, as `NAME=VALUE`."""
    published: frozenset[PublishedPort] = frozenset()
    """TCP ports that are open on the engine's host, too."""
    has_host_network: bool = False
    """Whether each of its ports is one of the engine's host."""


class ListedContainer(NamedTuple):
    """A container by its entry in a list, which has less than an inspection."""

    id: str
    name: str
    image: str
    labels: Mapping[str, str]
    status: str
    sources: Sequence[str] = ()
    """What is mounted from the engine's host."""

    @property
    def shown(self) -> str:
        """For a list of which one is to be chosen."""
        return f"`{self.name}` ({self.status})"


def only(found: Sequence[ListedContainer], whose: str) -> ListedContainer:
    """The only container, or the only one that runs. Raises ConnectError that lists them: none is guessed."""
    running = [each for each in found if each.status == RUNNING]
    if len(found) == 1 or len(running) == 1:
        return (running or found)[0]
    names = sorted(found, key=lambda each: each.name)
    why = ", ".join(each.shown for each in names[:CONTAINER_LIST_LIMIT]) + (
        " ..." if len(names) > CONTAINER_LIST_LIMIT else ""
    )
    first = (sorted(running, key=lambda each: each.name) or names)[0]
    raise ConnectError(f"{whose} has several containers", why, f'name one of them: `container = "{first.name}"`')


def container(answer: EngineAnswer) -> InspectedContainer:
    """An inspection. Raises ConnectError where the answer is not one."""
    identity, config = answer.identity("Id"), answer.maybe("Config")
    name = answer.text("Name", "").removeprefix("/")[:NAME_LIMIT]
    return InspectedContainer(
        identity,
        name or identity[:12],
        answer.text("Image", ""),
        config.mapping("Labels") if config else {},
        _mounts(answer),
        (config.text("WorkingDir", "") if config else "") or "/",
        _state(answer.table("State")),
        config.texts("Env") if config else (),
        published_ports.find(answer.maybe("NetworkSettings")),
        (host.text("NetworkMode", "") if (host := answer.maybe("HostConfig")) else "") == "host",
    )


def _state(answer: EngineAnswer) -> ContainerState:
    health = answer.maybe("Health")
    status = health.text("Status", "") if health else ""
    return ContainerState(
        answer.text("Status", ""),
        answer.flag("Running"),
        answer.flag("Paused", default=False),
        answer.flag("Restarting", default=False),
        answer.number("ExitCode", 0),
        answer.text("Error", ""),
        "" if status == "none" else status,
    )


def _mounts(answer: EngineAnswer) -> list[ContainerMount]:
    """All that lies over the container's own files; `--tmpfs` is not among its mounts, but with the host's settings."""
    found = [
        ContainerMount(
            each.text("Type", "bind"), each.text("Source", ""), each.text("Destination"), not each.flag("RW", True)
        )
        for each in answer.tables("Mounts")
    ]
    host = answer.maybe("HostConfig")
    tmpfs = host.maybe("Tmpfs") if host else None
    return found + [ContainerMount("tmpfs", "", place) for place in (tmpfs.names() if tmpfs else ())]


def listing(answer: EngineAnswer) -> list[ListedContainer]:
    """The containers of a list. Raises ConnectError where the answer is not one."""
    return [_listed(each) for each in answer.tables()]


def _listed(answer: EngineAnswer) -> ListedContainer:
    identity = answer.identity("Id")
    names = answer.texts("Names")
    name = min(names, key=len).removeprefix("/")[:NAME_LIMIT] if names else ""
    return ListedContainer(
        identity,
        name or identity[:12],
        answer.text("ImageID", ""),
        answer.mapping("Labels"),
        answer.text("State", ""),
        [source for each in answer.tables("Mounts") if (source := each.text("Source", "")).startswith("/")],
    )


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
    others = f", or `cd` to a mounted directory: {listed(near, DIRECTORY_LIST_LIMIT)}" if near else ""
    return RdoError(what, "", f"set `directory`{others}")
