"""Containers that rdo did not create: inspects and starts them."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import quote

from rdo.drivers.caller import Caller
from rdo.drivers.docker import inspect as docker_inspection
from rdo.drivers.docker.engine import ANSWER_TIMEOUT, KEPT_ANSWER_TIMEOUT, Engine, EngineError
from rdo.drivers.docker.inspect import ContainerState, InspectedContainer
from rdo.errors import ConnectError, LinkLost

START_TIMEOUT = 120.0
"""Seconds for a container to start and become healthy: a health check may run every 30 seconds, and fail three
times."""

END_NOTICED = 1.0
"""Seconds in which an engine notices that a container has ended in which nothing can be started."""

START_INTERVAL = 0.05
"""Seconds between two inspections of a container that is starting or ending."""

NOTICE_GRACE = 2.0
"""Seconds of waiting before a line explains the delay."""


def inspect(
    engine: Engine, name: str, timeout: float = ANSWER_TIMEOUT, patience: float = KEPT_ANSWER_TIMEOUT
) -> InspectedContainer:
    """Inspect a container; `patience` as for Engine.ask. Raises EngineError, ConnectError."""
    path = f"/containers/{quote(name, safe='')}/json"
    return docker_inspection.container(engine.ask("GET", path, timeout=timeout, patience=patience))


def is_running(engine: Engine, identity: str, timeout: float = ANSWER_TIMEOUT) -> bool:
    """Whether the container exists and is running, if the engine reports that in time."""
    try:
        state = inspect(engine, identity, timeout).state
    except (EngineError, ConnectError):
        return False
    return state.runs and not state.paused


def inspect_again(engine: Engine, container: InspectedContainer) -> InspectedContainer:
    """Inspect the container again. Raises ConnectError if it is gone."""
    try:
        return inspect(engine, container.id)
    except EngineError as error:
        what = f"the container `{container.name}` is gone"
        raise ConnectError(what, error.message, "see `docker ps --all`") from None


def make_ready(
    engine: Engine, container: InspectedContainer, *, auto_start: bool, caller: Caller
) -> InspectedContainer:
    """Start the container if it is not running, and return its inspection. Raises ConnectError."""
    state = container.state
    if state.runs and not state.paused:
        return container
    if not auto_start:
        raise not_running(container.name, state)
    _start(engine, container)
    return _wait(engine, container, caller)


def not_running(name: str, state: ContainerState) -> ConnectError:
    """The error for a container that rdo must not start or continue."""
    verb = "unpause" if state.paused else "start"
    return ConnectError(f"the container `{name}` {state}", "", f"`docker {verb} {name}`, or set `auto_start`")


def why_down(
    look: Callable[[], ContainerState | None], error: Callable[[ContainerState], ConnectError | LinkLost | None]
) -> ConnectError | LinkLost | None:
    """The `error`, as from `not_up`, for a container in which something failed that may have ended."""
    deadline = time.monotonic() + END_NOTICED
    while (state := look()) is not None and (found := error(state)) is None and time.monotonic() < deadline:
        time.sleep(START_INTERVAL)
    return None if state is None else found


def not_up(name: str, began: str, resumes: bool, state: ContainerState) -> ConnectError | LinkLost | None:
    """The error if nothing can be started in the container at present; None if it is running, and has been since
    `began`, if that is known: a container that its engine keeps restarting is running at times."""
    if state.paused:
        return LinkLost(f"`{name}` {state}", "", f"`docker unpause {name}`") if resumes else not_running(name, state)
    if state.runs and began in ("", state.started):
        return None
    return LinkLost(f"`{name}` {'has been started again' if state.runs else state}", "", f"see `docker logs {name}`")


def _start(engine: Engine, container: InspectedContainer) -> None:
    verb = "unpause" if container.state.paused else "start"
    try:
        engine.ask("POST", f"/containers/{container.id}/{verb}")
    except EngineError as error:
        hint = f"try `docker {verb} {container.name}`"
        raise ConnectError(f"cannot {verb} the container `{container.name}`", error.message, hint) from None


def _wait(engine: Engine, container: InspectedContainer, caller: Caller) -> InspectedContainer:
    """Wait until the container is running and healthy."""
    begun, noticed, name = time.monotonic(), False, container.name
    while time.monotonic() - begun < START_TIMEOUT:
        now = inspect_again(engine, container)
        if _is_ready(now):
            return now
        what = f"waiting for the container `{name}` to be {'healthy' if now.state.runs else 'running'}"
        if not caller.progress(what) and not noticed and time.monotonic() - begun > NOTICE_GRACE:
            noticed = True
            caller.report(f"rdo: {what}")
        time.sleep(START_INTERVAL)
    raise ConnectError(
        f"the container `{name}` was not ready after {START_TIMEOUT:.0f} s", "", f"see `docker logs {name}`"
    )


def _is_ready(container: InspectedContainer) -> bool:
    state, name = container.state, container.name
    if not state.runs:
        if state.restarting:
            return False
        why = f"it ended with status {state.exit_code}" + (f": {state.error}" if state.error else "")
        raise ConnectError(f"the container `{name}` does not keep running", why, f"see `docker logs {name}`")
    if state.health == "unhealthy":
        raise ConnectError(f"the container `{name}` is unhealthy", "", f"see `docker inspect {name}`")
    return state.health in ("", "healthy")
