"""Each kind of target in its turn, and a forward of a port of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rdo.config import forwards
from rdo.config.forwards import Endpoint
from rdo.config.schema import Settings
from rdo.drivers.base import ChannelOptions
from rdo.drivers.docker.driver import DockerDriver
from rdo.forward.target_forwards import TargetForwards
from rdo.pool.target_pool import TargetPool
from tests.docker_engine import DockerEngine
from tests.leaks import wait_until
from tests.reach import Target, reach_dropbear, reach_local, reach_ssh
from tests.ssh_client import ScriptedCaller
from tests.ssh_server import free_port
from tests.tcp_server import BOUND


def reach_container(request: pytest.FixtureRequest, directory: Path, stack: ExitStack) -> Target:
    """A container that has this machine's network."""
    engine: DockerEngine = request.getfixturevalue("docker_engine")
    name = stack.enter_context(engine.container("dash", {directory: "/there"}, network_mode="host"))
    environment = {**os.environ, "DOCKER_HOST": engine.host}
    driver = DockerDriver(Settings(container=name), str(directory), "default", environment)
    return Target(driver, environment, directory, "/there")


REACH = {"ssh": reach_ssh, "dropbear": reach_dropbear, "local": reach_local, "docker": reach_container}


@pytest.fixture(scope="module", params=REACH)
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Each kind of target in its turn."""
    with ExitStack() as stack:
        yield REACH[request.param](request, tmp_path_factory.mktemp("shared"), stack)


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
def forward(pool: TargetPool) -> Iterator[Callable[[str], int]]:
    """Forwards a port there: the port here."""
    held = TargetForwards(pool)

    def hold(word: str) -> int:
        wanted = forwards.parse(word)
        listen = wanted.listen if wanted.listen.port != wanted.destination.port else Endpoint(port=free_port())
        return held.hold("the test", wanted._replace(listen=listen))[0].listener.endpoint.port

    yield hold
    held.end()
    assert wait_until(lambda: not any(thread.name == "forward" for thread in threading.enumerate()), BOUND)
