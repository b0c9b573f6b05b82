"""Targets of every kind for the suite that all drivers share. Each is a real one, whose directory is seen from both
sides.

To add a driver, add an entry to REACH.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from rdo.config.schema import Settings
from rdo.drivers.base import Driver
from rdo.drivers.docker.driver import DockerDriver
from rdo.drivers.local.driver import LocalDriver
from tests.docker_engine import DockerEngine
from tests.dropbear import Dropbear, open_folder
from tests.ssh_client import driver as ssh_driver
from tests.sshd import Sshd
from tests.vagrant_machine import VagrantHost, kept
from tests.vagrant_machine import driver as vagrant_driver

Request = pytest.FixtureRequest


class Target(NamedTuple):
    """A driver, the environment of its callers, and a directory that both sides see."""

    driver: Driver
    environment: dict[str, str]
    local: Path
    remote: str
    times: int = 10
    """How often a test repeats what may fail now and then: less often if each command is a container of its own, or if
    another target differs only in what cannot matter.
    """


def reach_local(request: Request, directory: Path, stack: ExitStack) -> Target:
    return Target(LocalDriver(str(directory), None), dict(os.environ), directory, str(directory))


def reach_ssh(request: Request, directory: Path, stack: ExitStack) -> Target:
    server: Sshd = request.getfixturevalue("sshd")
    return Target(ssh_driver(server.ssh_config(), root=str(directory)), dict(os.environ), directory, str(directory))


def reach_dropbear(request: Request, directory: Path, stack: ExitStack) -> Target:
    server: Dropbear = request.getfixturevalue("dropbear")
    directory = stack.enter_context(open_folder())
    return Target(ssh_driver(server.ssh_config(), root=str(directory)), dict(os.environ), directory, str(directory))


def reach_docker(shell: str) -> Callable[[Request, Path, ExitStack], Target]:
    def reach(request: Request, directory: Path, stack: ExitStack) -> Target:
        engine: DockerEngine = request.getfixturevalue("docker_engine")
        name = stack.enter_context(engine.container(shell, {directory: "/there"}))
        environment = {**os.environ, "DOCKER_HOST": engine.host}
        return Target(
            DockerDriver(Settings(container=name), str(directory), "default", environment),
            environment,
            directory,
            "/there",
            times=10 if shell == "dash" else 2,
        )

    return reach


def reach_image(*, fresh: bool) -> Callable[[Request, Path, ExitStack], Target]:
    def reach(request: Request, directory: Path, stack: ExitStack) -> Target:
        engine: DockerEngine = request.getfixturevalue("docker_engine")
        environment = {**os.environ, "DOCKER_HOST": engine.host}
        settings = Settings(image=engine.image(), pull_image="never", fresh=fresh)
        driver = DockerDriver(settings, str(directory), "default", environment)
        return Target(driver, environment, directory, "/src", times=2)

    return reach


def reach_vagrant(request: Request, directory: Path, stack: ExitStack) -> Target:
    host: VagrantHost = request.getfixturevalue("vagrant_host")
    directory = request.getfixturevalue("vagrant_machine")
    environment = host.environment({**os.environ, **kept(directory)})
    return Target(vagrant_driver(directory, environment), environment, directory, "/vagrant")


REACH: dict[str, Callable[[Request, Path, ExitStack], Target]] = {
    "local": reach_local,
    "ssh": reach_ssh,
    "ssh-dropbear": reach_dropbear,
    "vagrant": reach_vagrant,
    "docker-dash": reach_docker("dash"),
    "docker-bash": reach_docker("bash"),
    "docker-busybox": reach_docker("busybox"),
    "docker-image": reach_image(fresh=False),
    "docker-fresh": reach_image(fresh=True),
}
