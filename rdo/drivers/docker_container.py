"""Containers that others have made: finding one by name or as a compose service, and starting it."""

from __future__ import annotations

import os
import time
from urllib.parse import quote

from rdo.drivers import docker_inspection as inspection
from rdo.drivers.base import Caller
from rdo.drivers.docker_engine import Engine, EngineError
from rdo.drivers.docker_inspection import Details
from rdo.errors import ConnectError
from rdo.wording import listed, nearest

START_PATIENCE = 120.0
"""Seconds for a container to run and to be healthy: a health check may run every 30 seconds, and fail three times."""

LOOK = 0.05
"""Seconds between two looks at a container that starts."""

TELL_AFTER = 2.0
"""Seconds after which whoever waits is told why."""


def by_name(engine: Engine, name: str) -> Details:
    """The inspection of a container. Raises ConnectError that names the nearest one."""
    try:
        return inspect(engine, name)
    except EngineError as error:
        if error.status != 404:
            raise failure(f"cannot look at the container `{name}`", error) from None
    names = [inspection.name(each) for each in _list(engine)]
    hint = nearest(name, names) or "see `docker ps --all`"
    raise ConnectError(f"there is no container `{name}`", "", hint)


def by_service(engine: Engine, service: str, folder: str) -> Details:
    """The inspection of the service's first container, in the compose project of the folder. Raises ConnectError."""
    listing = [each for each in _list(engine) if inspection.SERVICE in (each.get("Labels") or {})]
    folders = [*inspection.folders_above(folder), *inspection.folders_above(os.path.realpath(folder))]
    folders.sort(key=len, reverse=True)
    services = inspection.services(inspection.of_project(listing, folders))
    if not services:
        why = f"no compose project of `{folder}`, or a folder above it, has a container"
        raise ConnectError(f"there is no service `{service}`", why, "`docker compose up -d`")
    if service not in services:
        hint = nearest(service, list(services)) or f"`docker compose up -d {service}`"
        raise ConnectError(
            f"the service `{service}` has no container", f"there are {listed(sorted(services))}", hint
        )
    return by_name(engine, services[service]["Id"])


def inspect(engine: Engine, name: str) -> Details:
    """A container's inspection. Raises EngineError, ConnectError."""
    found: Details = engine.ask("GET", f"/containers/{quote(name, safe='')}/json")
    return found


def _list(engine: Engine) -> list[Details]:
    try:
        found: list[Details] = engine.ask("GET", "/containers/json", query={"all": 1})
    except EngineError as error:
        raise failure("cannot list the containers", error) from None
    return found


def failure(what: str, error: EngineError) -> ConnectError:
    """The error for a request that the engine refused."""
    return ConnectError(what, error.message)


def make_ready(engine: Engine, details: Details, *, auto_start: bool, caller: Caller) -> Details:
    """Have the container run: its inspection then. Raises ConnectError."""
    state, name = details["State"], inspection.name(details)
    if state["Running"] and not state["Paused"] and not state["Restarting"]:
        return details
    if not auto_start:
        verb = "unpause" if state["Paused"] else "start"
        what = f"the container `{name}` is {state['Status']}"
        raise ConnectError(what, "", f"`docker {verb} {name}`, or set `auto_start`")
    _start(engine, details)
    return _wait(engine, details["Id"], name, caller)


def _start(engine: Engine, details: Details) -> None:
    verb = "unpause" if details["State"]["Paused"] else "start"
    try:
        engine.ask("POST", f"/containers/{details['Id']}/{verb}")
    except EngineError as error:
        raise failure(f"cannot {verb} the container `{inspection.name(details)}`", error) from None


def _wait(engine: Engine, container: str, name: str, caller: Caller) -> Details:
    """Wait until it runs and is healthy."""
    begun, told = time.monotonic(), False
    while time.monotonic() - begun < START_PATIENCE:
        try:
            details = inspect(engine, container)
        except EngineError as error:
            raise failure(f"the container `{name}` is gone", error) from None
        if _is_ready(details, name):
            return details
        what = f"waiting for the container `{name}` to be {'healthy' if _runs(details) else 'running'}"
        if not caller.progress(what) and not told and time.monotonic() - begun > TELL_AFTER:
            told = True
            caller.tell(f"rdo: {what}")
        time.sleep(LOOK)
    raise ConnectError(
        f"the container `{name}` does not get ready", f"waited {START_PATIENCE:.0f} s", f"look at `docker logs {name}`"
    )


def _runs(details: Details) -> bool:
    return bool(details["State"]["Running"] and not details["State"]["Restarting"])


def _is_ready(details: Details, name: str) -> bool:
    state = details["State"]
    if not _runs(details):
        if state["Restarting"]:
            return False
        why = f"it ended with status {state['ExitCode']}" + (f": {state['Error']}" if state.get("Error") else "")
        raise ConnectError(f"the container `{name}` does not stay up", why, f"look at `docker logs {name}`")
    if inspection.health(details) == "unhealthy":
        raise ConnectError(f"the container `{name}` is unhealthy", "", f"look at `docker inspect {name}`")
    return inspection.health(details) in ("", "healthy")
