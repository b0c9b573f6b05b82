"""Fixtures: each kind of target, and forwards in each direction."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rdo.config import forwards
from rdo.config.forwards import Endpoint, ForwardKind
from rdo.config.schema import Settings
from rdo.drivers.base import ChannelOptions
from rdo.drivers.docker.driver import DockerDriver
from rdo.forward.target_forwards import TargetForwards
from rdo.pool.target_pool import TargetPool
from tests.conftest import require
from tests.docker_engine import DockerEngine
from tests.leaks import wait_until
from tests.podman_engine import podman, why_not
from tests.reach import Target, reach_dropbear, reach_local, reach_ssh
from tests.ssh_client import ScriptedCaller
from tests.ssh_server import free_port

END_TIMEOUT = 60.0
"""Seconds for processes that continue when a test ends: podman may have to start three dozen programs on a busy
machine.
"""


def reach_container(request: pytest.FixtureRequest, directory: Path, stack: ExitStack) -> Target:
    """A container with this machine's network."""
    engine: DockerEngine = request.getfixturevalue("docker_engine")
    name = stack.enter_context(engine.container("dash", {directory: "/there"}, network_mode="host"))
    environment = {**os.environ, "DOCKER_HOST": engine.host}
    driver = DockerDriver(Settings(container=name), str(directory), "default", environment)
    return Target(driver, environment, directory, "/there")


@pytest.fixture(scope="session")
def podman_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A container of podman, which takes seconds to start."""
    if reason := why_not():
        require("podman", reason)
    directory = tmp_path_factory.mktemp("podman")
    with podman() as engine, engine.container(directory) as name:
        environment = {**os.environ, "DOCKER_HOST": engine.host}
        driver = DockerDriver(Settings(container=name), str(directory), "default", environment)
        yield Target(driver, environment, directory, "/there")


def reach_podman(request: pytest.FixtureRequest, directory: Path, stack: ExitStack) -> Target:
    """A container of podman, which starts programs by the same API as Docker, but implements it differently."""
    found: Target = request.getfixturevalue("podman_target")
    return found


REACH = {
    "ssh": reach_ssh,
    "dropbear": reach_dropbear,
    "local": reach_local,
    "docker": reach_container,
    "podman": reach_podman,
}

WAYS = {
    **{name: (name, ForwardKind.LOCAL) for name in REACH},
    "ssh-remote": ("ssh", ForwardKind.REMOTE),
    "dropbear-remote": ("dropbear", ForwardKind.REMOTE),
}
"""Kinds of target, and the end that listens. Both ends are this machine, so either can be tested in the same way."""


@pytest.fixture(
    scope="module",
    params=[pytest.param(way, marks=pytest.mark.long if way == "podman" else ()) for way in WAYS],
)
def way(request: pytest.FixtureRequest) -> str:
    """Each kind of target, in each direction that it supports."""
    return str(request.param)


@pytest.fixture(scope="module")
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, way: str) -> Iterator[Target]:
    """Each kind of target."""
    with ExitStack() as stack:
        yield REACH[WAYS[way][0]](request, tmp_path_factory.mktemp("shared"), stack)


@pytest.fixture
def pool(target: Target) -> Iterator[TargetPool]:
    """A target that is connected."""
    caller = ScriptedCaller(environment=target.environment)
    pool = TargetPool(target.driver.resolve(caller))
    with pool.shells.lease(caller, ChannelOptions):
        pass
    yield pool
    pool.close("the test is over")


@pytest.fixture
def forward(pool: TargetPool, way: str) -> Iterator[Callable[[str], int]]:
    """Forwards a port. Returns the port that leads to it."""
    held = TargetForwards(pool)

    def hold(word: str) -> int:
        wanted = forwards.parse(word)
        listen = wanted.listen if wanted.listen.port != wanted.destination.port else Endpoint(port=free_port())
        wanted = wanted._replace(listen=listen, kind=WAYS[way][1])
        return held.hold("the test", wanted)[0].endpoint.port

    yield hold
    held.end()
    assert wait_until(lambda: not any(thread.name == "forward" for thread in threading.enumerate()), END_TIMEOUT)
