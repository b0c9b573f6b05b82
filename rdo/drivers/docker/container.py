"""Containers that rdo did not create: found by name, compose service or directory, and started."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from urllib.parse import quote

from rdo.drivers.caller import Caller
from rdo.drivers.docker import compose, devcontainer
from rdo.drivers.docker import inspect as docker_inspection
from rdo.drivers.docker.engine import ANSWER_TIMEOUT, KEPT_ANSWER_TIMEOUT, Engine, EngineError
from rdo.drivers.docker.inspect import InspectedContainer, ListedContainer
from rdo.errors import ConnectError
from rdo.util.phrases import listed, nearest

START_TIMEOUT = 120.0
"""Seconds for a container to run and to be healthy: a health check may run every 30 seconds, and fail three times."""

START_INTERVAL = 0.05
"""Seconds between two inspections of a container that starts."""

NOTICE_GRACE = 2.0
"""Seconds of waiting after which a line says for what."""

SHORT_ID = 12
"""Digits of an id as `docker ps` shows it. A shorter one may be meant as a name, such as `db`."""

DIRECTORY_LIMIT = 500
"""Entries of the project's directory in which a compose file is looked for, for a hint."""


def by_name(engine: Engine, name: str) -> InspectedContainer:
    """The inspection of a container. Raises ConnectError that names the nearest one."""
    try:
        found = inspect(engine, name)
    except EngineError as error:
        if error.status != 404:
            raise failure(f"cannot inspect the container `{name}`", error) from None
        names = [each.name for each in _list(engine)]
        raise ConnectError(
            f"there is no container `{name}`", "", nearest(name, names) or "see `docker ps --all`"
        ) from None
    if found.name == name.removeprefix("/") or (found.id.startswith(name) and len(name) >= SHORT_ID):
        return found
    why = f"the ID of `{found.name}` starts with that"
    raise ConnectError(f"there is no container `{name}`", why, f'did you mean `container = "{found.name}"`?')


def by_service(engine: Engine, service: str, directory: str, environment: Mapping[str, str]) -> InspectedContainer:
    """The inspection of the service's container, in the compose project of the directory. Raises ConnectError."""
    directory = os.path.realpath(directory)
    project = compose.named_project(environment, directory)
    found = _candidates(engine, directory, project)
    containers = found.of_service(service)
    if containers:
        return by_id(engine, docker_inspection.only(containers, f"the service `{service}`").id)
    services = found.services()
    if not services:
        named = f"the compose project `{project.name}` has no container"
        why = named if project.name else f"no compose project of `{project.directory or directory}` has a container"
        raise ConnectError(f"there is no service `{service}`", why, _advice(directory, service, environment))
    files = [*found.here, *found.around][0].labels.get(compose.PROJECT_FILES, "").split(",")
    hint = nearest(service, services) or compose.up_command([file for file in files if file], directory, service)
    raise ConnectError(f"the service `{service}` has no container", f"the project has {listed(services)}", hint)


def by_directory(engine: Engine, directory: str) -> InspectedContainer:
    """The inspection of the dev container that was started for the directory. Raises ConnectError."""
    directory = os.path.realpath(directory)
    listing = _list(engine, label=devcontainer.LOCAL_FOLDER)
    first = devcontainer.candidates(listing, directory, os.path.realpath)
    likely = [devcontainer.without_image_label(each, image_labels(engine, each)) for each in first]
    found = devcontainer.candidates(likely, directory, os.path.realpath)
    if found:
        return by_id(engine, docker_inspection.only(found, "this directory").id)
    hint = "`devcontainer up --workspace-folder .`, or set `container`, `service` or `image`"
    raise ConnectError(f"there is no dev container of `{directory}`", "", hint)


def _candidates(engine: Engine, directory: str, project: compose.NamedProject) -> compose.ServiceCandidates:
    """The containers of these compose projects, without those whose labels come from their image alone."""
    listing = _list(engine, label=compose.SERVICE)
    first = compose.candidates(listing, directory, os.path.realpath, project)
    likely = {each.id for group in first for each in group}
    trusted = [compose.without_image_labels(each, image_labels(engine, each)) for each in listing if each.id in likely]
    return compose.candidates(trusted, directory, os.path.realpath, project)


def image_labels(engine: Engine, container: ListedContainer | InspectedContainer) -> Mapping[str, str]:
    """The labels of a container's image. Of an image that is gone, all of the container's: they may be its."""
    try:
        config = engine.ask("GET", f"/images/{quote(container.image, safe='')}/json").maybe("Config")
    except EngineError:
        return container.labels
    return config.mapping("Labels") if config else {}


def _advice(directory: str, service: str, environment: Mapping[str, str]) -> str:
    """The command that starts the service, as far as compose files can be seen."""
    if environment.get("COMPOSE_FILE"):
        return compose.up_command([], directory, service)
    for place in (directory, *_above(directory)):
        if any(os.path.isfile(os.path.join(place, name)) for name in compose.FILES):
            return compose.up_command([], directory, service)
    files = _compose_files_below(directory)
    if not files:
        return f"`docker compose -f FILE up -d {service}`, or set `container`"
    return " or ".join(compose.up_command([file], directory, service) for file in files[:2])


def _above(directory: str) -> list[str]:
    found: list[str] = []
    while directory != os.path.dirname(directory):
        directory = os.path.dirname(directory)
        found.append(directory)
    return found


def _compose_files_below(directory: str) -> list[str]:
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        below = sorted(entry.path for entry, _ in zip(entries, range(DIRECTORY_LIMIT), strict=False) if entry.is_dir())
        paths = (os.path.join(place, name) for place in below for name in compose.FILES)
        return [path for path in paths if os.path.isfile(path)]
    return []


def by_id(engine: Engine, identity: str) -> InspectedContainer:
    """The inspection of a container that was listed just now. Raises ConnectError."""
    try:
        return inspect(engine, identity)
    except EngineError as error:
        raise failure(f"cannot inspect the container `{identity[:SHORT_ID]}`", error) from None


def inspect(
    engine: Engine, name: str, timeout: float = ANSWER_TIMEOUT, patience: float = KEPT_ANSWER_TIMEOUT
) -> InspectedContainer:
    """A container's inspection; `patience` as Engine.ask has it. Raises EngineError, ConnectError."""
    path = f"/containers/{quote(name, safe='')}/json"
    return docker_inspection.container(engine.ask("GET", path, timeout=timeout, patience=patience))


def _list(engine: Engine, **filters: str) -> list[ListedContainer]:
    query: dict[str, object] = {"all": 1}
    if filters:
        query["filters"] = json.dumps({key: [value] for key, value in filters.items()})
    try:
        return docker_inspection.listing(engine.ask("GET", "/containers/json", query=query))
    except EngineError as error:
        raise failure("cannot list the containers", error) from None


def failure(what: str, error: EngineError) -> ConnectError:
    """The error for a request that the engine refused."""
    return ConnectError(what, error.message)


def is_running(engine: Engine, identity: str, timeout: float = ANSWER_TIMEOUT) -> bool:
    """Whether the container exists and runs, as far as the engine says so in time."""
    try:
        state = inspect(engine, identity, timeout).state
    except (EngineError, ConnectError):
        return False
    return state.runs and not state.paused


def make_ready(
    engine: Engine, container: InspectedContainer, *, auto_start: bool, caller: Caller
) -> InspectedContainer:
    """Start the container if it does not run, and return its inspection. Raises ConnectError."""
    state, name = container.state, container.name
    if state.runs and not state.paused:
        return container
    if not auto_start:
        verb = "unpause" if state.paused else "start"
        what = f"the container `{name}` is {state.status}"
        raise ConnectError(what, "", f"`docker {verb} {name}`, or set `auto_start`")
    _start(engine, container)
    return _wait(engine, container, caller)


def _start(engine: Engine, container: InspectedContainer) -> None:
    verb = "unpause" if container.state.paused else "start"
    try:
        engine.ask("POST", f"/containers/{container.id}/{verb}")
    except EngineError as error:
        raise failure(f"cannot {verb} the container `{container.name}`", error) from None


def _wait(engine: Engine, container: InspectedContainer, caller: Caller) -> InspectedContainer:
    """Wait until it runs and is healthy."""
    begun, noticed, name = time.monotonic(), False, container.name
    while time.monotonic() - begun < START_TIMEOUT:
        try:
            now = inspect(engine, container.id)
        except EngineError as error:
            raise failure(f"the container `{name}` is gone", error) from None
        if _is_ready(now):
            return now
        what = f"waiting for the container `{name}` to be {'healthy' if now.state.runs else 'running'}"
        if not caller.progress(what) and not noticed and time.monotonic() - begun > NOTICE_GRACE:
            noticed = True
            caller.report(f"rdo: {what}")
        time.sleep(START_INTERVAL)
    raise ConnectError(
        f"the container `{name}` was not ready after {START_TIMEOUT:.0f} s", "", f"look at `docker logs {name}`"
    )


def _is_ready(container: InspectedContainer) -> bool:
    state, name = container.state, container.name
    if not state.runs:
        if state.restarting:
            return False
        why = f"it ended with status {state.exit_code}" + (f": {state.error}" if state.error else "")
        raise ConnectError(f"the container `{name}` does not keep running", why, f"look at `docker logs {name}`")
    if state.health == "unhealthy":
        raise ConnectError(f"the container `{name}` is unhealthy", "", f"look at `docker inspect {name}`")
    return state.health in ("", "healthy")
