"""What the engine reports about containers, as values: inspections, and entries of a list. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rdo.drivers.docker import mounts, published_ports
from rdo.drivers.docker.answer import EngineAnswer
from rdo.drivers.docker.mounts import ContainerMount
from rdo.drivers.docker.published_ports import PublishedPort
from rdo.errors import ConnectError

NAME_LIMIT = 255
"""Characters of a name that are shown. The engine allows no longer host names, either."""

RUNNING = "running"

PHRASES = {"exited": "has exited", "created": "was never started"}
"""Phrases for states that are not described in the engine's own words."""

CONTAINER_LIST_LIMIT = 10
"""Containers that an error lists."""


class ContainerState(NamedTuple):
    """The state of a container. `health` is `healthy`, `starting`, `unhealthy`, or empty without a health check."""

    status: str
    running: bool
    paused: bool
    restarting: bool
    exit_code: int
    error: str
    health: str
    started: str = ""
    """The start time, as the engine formats it."""

    @property
    def runs(self) -> bool:
        return self.running and not self.restarting

    def __str__(self) -> str:
        """As a phrase that follows a name."""
        return PHRASES.get(self.status, f"is {self.status}")


class InspectedContainer(NamedTuple):
    """A container as inspected."""

    id: str
    name: str
    image: str
    """The id of the image."""
    labels: Mapping[str, str]
    mounts: Sequence[ContainerMount]
    workdir: str
    state: ContainerState
    env: Sequence[str] = ()
    """The variables for its programs, as `NAME=VALUE`."""
    published: frozenset[PublishedPort] = frozenset()
    """TCP ports that are published on the engine's host."""
    has_host_network: bool = False
    """Whether all of its ports are ports of the engine's host."""


class ListedContainer(NamedTuple):
    """A container as an entry of a list, which has less than an inspection."""

    id: str
    name: str
    image: str
    labels: Mapping[str, str]
    status: str
    sources: Sequence[str] = ()
    """What is mounted from the engine's host."""

    @property
    def shown(self) -> str:
        """A description for a list to choose from."""
        return f"`{self.name}` ({self.status})"


def only(found: Sequence[ListedContainer], whose: str) -> ListedContainer:
    """The only container, or the only one that is running. Raises ConnectError that lists them: rdo does not guess."""
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
    """Parse an inspection. Raises ConnectError if the answer is not one."""
    identity, config = answer.identity("Id"), answer.maybe("Config")
    name = answer.text("Name", "").removeprefix("/")[:NAME_LIMIT]
    return InspectedContainer(
        identity,
        name or identity[:12],
        answer.text("Image", ""),
        config.mapping("Labels") if config else {},
        mounts.find(answer),
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
        answer.text("StartedAt", ""),
    )


def listing(answer: EngineAnswer) -> list[ListedContainer]:
    """Parse a list of containers. Raises ConnectError if the answer is not one."""
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
