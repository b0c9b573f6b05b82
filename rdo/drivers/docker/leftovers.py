"""Containers that rdo created: the labels by which it recognises them, and their removal, even after their master was
killed."""

from __future__ import annotations

import contextlib
import json
import math
import os
import socket
import time
from collections.abc import Mapping

from rdo.drivers.docker import inspect
from rdo.drivers.docker.endpoint import resolve
from rdo.drivers.docker.engine import Engine, EngineError
from rdo.drivers.docker.inspect import ListedContainer
from rdo.errors import ConnectError
from rdo.util import process

MASTER, SPACE, HOST, MADE, ROOT, PROFILE = (
    f"rdo.{name}" for name in ("master", "space", "host", "made", "root", "profile")
)
"""Labels. MASTER is a process name of rdo.util.process in the PID space SPACE; MADE is in seconds since the epoch."""

LEFTOVER_GRACE = 24 * 3600.0
"""Seconds until a container that has ended counts as left over if its master is unknown, as after a reboot."""

ENDED = ("exited", "dead")
"""States of a container that is not running, as it is after the stream that its master held has broken."""


def host() -> str:
    """This machine and user, since others may use the same engine."""
    return f"{os.getuid()}@{socket.gethostname()}"


def remove(engine: Engine, container: str) -> None:
    """End and remove a container. Never raises."""
    with contextlib.suppress(EngineError, ConnectError):
        engine.ask("DELETE", f"/containers/{container}", query={"force": 1, "v": 1})


def remove_leftovers(engine: Engine) -> int:
    """Remove the containers of this user's masters that have ended, and return how many. Raises ConnectError."""
    filters = json.dumps({"label": [MASTER, f"{HOST}={host()}"]})
    try:
        listing = inspect.listing(engine.ask("GET", "/containers/json", query={"all": 1, "filters": filters}))
    except EngineError as error:
        raise ConnectError("cannot list the containers", error.message, "try `docker ps --all`") from None
    space = process.pid_space()
    left = [each.id for each in listing if _is_left(each, space)]
    for container in left:
        remove(engine, container)
    return len(left)


def _is_left(container: ListedContainer, space: str) -> bool:
    """Whether its master has ended, as far as that can be known here."""
    labels = container.labels
    if space and labels.get(SPACE) == space:
        return not process.is_running(labels.get(MASTER, ""))
    made = labels.get(MADE, "0")
    age = time.time() - int(made) if made.isdecimal() else math.inf
    return container.status in ENDED and age > LEFTOVER_GRACE


def remove_all(environment: Mapping[str, str]) -> int:
    """Remove the containers that this user's masters left at the caller's engine, and return how many.

    Raises ConfigError, and ConnectError if there is no engine.
    """
    engine = Engine(resolve(environment), environment)
    try:
        return remove_leftovers(engine)
    finally:
        engine.close()
