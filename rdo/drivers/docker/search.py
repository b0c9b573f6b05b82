"""Finds the container that a profile names, if somebody else has created it: by name, compose service or directory."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from rdo.config.schema import Settings
from rdo.drivers.docker import compose, container, devcontainer, mounts
from rdo.drivers.docker import inspect as docker_inspection
from rdo.drivers.docker.devcontainer import DevContainerFacts
from rdo.drivers.docker.endpoint import resolve
from rdo.drivers.docker.engine import Engine, EngineError
from rdo.drivers.docker.inspect import InspectedContainer, ListedContainer
from rdo.drivers.docker.mounts import ContainerMount
from rdo.errors import ConnectError
from rdo.project import upwards
from rdo.util.phrases import listed, nearest

SHORT_ID = 12
"""Digits of an id in `docker ps`. Anything shorter may be a name, such as `db`."""

DIRECTORY_LIMIT = 500
"""Entries of the project's directory that are searched for a compose file, for a hint."""


class FoundContainer(NamedTuple):
    """A container; `facts` if it was found as a dev container."""

    container: InspectedContainer
    facts: DevContainerFacts | None = None


def ask(settings: Settings, root: str, environment: Mapping[str, str]) -> FoundContainer:
    """Find the container with a new Engine. Raises ConfigError, ConnectError."""
    engine = Engine(resolve(environment), environment)
    try:
        return find(engine, settings, root, environment)
    finally:
        engine.close()


def find(engine: Engine, settings: Settings, root: str, environment: Mapping[str, str]) -> FoundContainer:
    """Find it by its name, by its compose service, or by the project's directory. Raises ConnectError."""
    found = _found(engine, settings, root, environment)
    resolved = [_resolved(engine, mount) for mount in found.container.mounts]
    return found._replace(container=found.container._replace(mounts=resolved))


def _resolved(engine: Engine, mount: ContainerMount) -> ContainerMount:
    """The mount or, if it is a volume, the mount of what that stands for."""
    if not mount.volume:
        return mount
    try:
        return mounts.bound(mount, engine.ask("GET", f"/volumes/{quote(mount.volume, safe='')}"))
    except EngineError:  # gone, or access is refused: what is unknown counts as not shared
        return mount


def _found(engine: Engine, settings: Settings, root: str, environment: Mapping[str, str]) -> FoundContainer:
    if settings.container:
        return FoundContainer(_by_name(engine, settings.container))
    if settings.service:
        return FoundContainer(_by_service(engine, settings.service, root, environment))
    found = _by_directory(engine, root)
    return FoundContainer(found, devcontainer.facts(found, _image_labels(engine, found)))


def _by_name(engine: Engine, name: str) -> InspectedContainer:
    """Inspect a container. Raises ConnectError that suggests the most similar name."""
    try:
        found = container.inspect(engine, name)
    except EngineError as error:
        if error.status != 404:
            raise ConnectError(f"cannot inspect the container `{name}`", error.message, _try_inspect(name)) from None
        names = [each.name for each in _list(engine)]
        raise ConnectError(
            f"there is no container `{name}`", "", nearest(name, names) or "see `docker ps --all`"
        ) from None
    if found.name == name.removeprefix("/") or (found.id.startswith(name) and len(name) >= SHORT_ID):
        return found
    why = f"the ID of `{found.name}` starts with that"
    raise ConnectError(f"there is no container `{name}`", why, f'did you mean `container = "{found.name}"`?')


def _by_service(engine: Engine, service: str, directory: str, environment: Mapping[str, str]) -> InspectedContainer:
    """Inspect the service's container in the directory's compose project. Raises ConnectError."""
    directory = os.path.realpath(directory)
    project = compose.named_project(environment, directory)
    found = _candidates(engine, directory, project)
    containers = found.of_service(service)
    if containers:
        return _by_id(engine, docker_inspection.only(containers, f"the service `{service}`").id)
    services = found.services()
    if not services:
        named = f"the compose project `{project.name}` has no container"
        why = named if project.name else f"no compose project of `{project.directory or directory}` has a container"
        raise ConnectError(f"there is no service `{service}`", why, _advice(directory, service, environment))
    files = [*found.here, *found.around][0].labels.get(compose.PROJECT_FILES, "").split(",")
    hint = nearest(service, services) or compose.up_command([file for file in files if file], directory, service)
    raise ConnectError(f"the service `{service}` has no container", f"the project has {listed(services)}", hint)


def _by_directory(engine: Engine, directory: str) -> InspectedContainer:
    """Inspect the dev container that was started for the directory. Raises ConnectError."""
    directory = os.path.realpath(directory)
    listing = _list(engine, label=devcontainer.LOCAL_FOLDER)
    first = devcontainer.candidates(listing, directory, os.path.realpath)
    likely = [devcontainer.without_image_label(each, _image_labels(engine, each)) for each in first]
    found = devcontainer.candidates(likely, directory, os.path.realpath)
    if found:
        return _by_id(engine, docker_inspection.only(found, "this directory").id)
    hint = "`devcontainer up --workspace-folder .`, or set `container`, `service` or `image`"
    raise ConnectError(f"there is no dev container for `{directory}`", "", hint)


def _candidates(engine: Engine, directory: str, project: compose.NamedProject) -> compose.ServiceCandidates:
    """The containers of these compose projects, without those whose labels come only from their image."""
    listing = _list(engine, label=compose.SERVICE)
    first = compose.candidates(listing, directory, os.path.realpath, project)
    likely = {each.id for group in first for each in group}
    trusted = [compose.without_image_labels(each, _image_labels(engine, each)) for each in listing if each.id in likely]
    return compose.candidates(trusted, directory, os.path.realpath, project)


def _image_labels(engine: Engine, found: ListedContainer | InspectedContainer) -> Mapping[str, str]:
    """The labels of a container's image. If the image is gone, all of the container's, since they may come from it."""
    try:
        config = engine.ask("GET", f"/images/{quote(found.image, safe='')}/json").maybe("Config")
    except EngineError:
        return found.labels
    return config.mapping("Labels") if config else {}


def _advice(directory: str, service: str, environment: Mapping[str, str]) -> str:
    """The command that starts the service, if its compose files are visible."""
    if environment.get("COMPOSE_FILE"):
        return compose.up_command([], directory, service)
    for place in upwards(directory):
        if any(os.path.isfile(os.path.join(place, name)) for name in compose.FILES):
            return compose.up_command([], directory, service)
    files = _compose_files_below(directory)
    if not files:
        return f"`docker compose -f FILE up -d {service}`, or set `container`"
    return " or ".join(compose.up_command([file], directory, service) for file in files[:2])


def _compose_files_below(directory: str) -> list[str]:
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        below = sorted(entry.path for entry, _ in zip(entries, range(DIRECTORY_LIMIT), strict=False) if entry.is_dir())
        paths = (os.path.join(place, name) for place in below for name in compose.FILES)
        return [path for path in paths if os.path.isfile(path)]
    return []


def _by_id(engine: Engine, identity: str) -> InspectedContainer:
    """Inspect a container that was just listed. Raises ConnectError."""
    try:
        return container.inspect(engine, identity)
    except EngineError as error:
        short = identity[:SHORT_ID]
        raise ConnectError(f"cannot inspect the container `{short}`", error.message, _try_inspect(short)) from None


def _try_inspect(name: str) -> str:
    return f"try `docker inspect {name}`"


def _list(engine: Engine, **filters: str) -> list[ListedContainer]:
    query: dict[str, object] = {"all": 1}
    if filters:
        query["filters"] = json.dumps({key: [value] for key, value in filters.items()})
    try:
        return docker_inspection.listing(engine.ask("GET", "/containers/json", query=query))
    except EngineError as error:
        raise ConnectError("cannot list the containers", error.message, "try `docker ps --all`") from None
