"""Tests for the end of all streams of an engine, while the programs in the container go on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rdo.config.schema import Settings
from rdo.drivers.docker.channel import DockerChannel
from rdo.drivers.docker.driver import DockerDriver
from rdo.errors import LinkLost
from tests.docker_client import TIMEOUT, connections
from tests.docker_engine import DockerEngine
from tests.line import Line

Begin = Callable[[str], DockerChannel]


@pytest.fixture
def begin(docker_engine: DockerEngine, line: Line, tmp_path: Path) -> Iterator[Begin]:
    """Starts a program that has printed something."""
    environment = {**os.environ, "DOCKER_HOST": f"tcp://127.0.0.1:{line.port}"}
    with docker_engine.container() as name, connections(environment) as connect:
        connection = connect(DockerDriver(Settings(container=name), str(tmp_path), "default", environment))

        def start(command: str) -> DockerChannel:
            channel = connection.open_channel(f"echo up; {command}", None)
            assert channel.read(TIMEOUT)
            return channel

        yield start


def read_rest(channel: DockerChannel) -> None:
    while channel.read(TIMEOUT) is not None:
        pass


def test_a_program_that_was_started_after_a_cut_does_not_hide_it(begin: Begin, line: Line) -> None:
    lifeline, command = begin("cat"), begin("sleep 5")
    line.cut()
    read_rest(lifeline)
    begin("cat")  # before anybody has noticed that the command's streams have ended, too
    read_rest(command)
    with pytest.raises(LinkLost, match="its streams ended early"):
        command.exit_status()


def test_the_end_of_one_program_is_not_a_cut_for_another(begin: Begin) -> None:
    _lifeline, other = begin("cat"), begin("exit 1")
    command = begin("exec >/dev/null 2>&1; sleep 1; exit 3")
    read_rest(other)
    read_rest(command)
    assert (command.exit_status(), other.exit_status()) == (3, 1)
