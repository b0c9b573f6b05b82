"""Checks that nothing is lost although the engine closes a program's streams 2 seconds after its end, even if they were
not read.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from rdo.config.schema import Settings
from rdo.drivers.docker.channel import SAFE_OUTPUT_LIMIT, DockerChannel
from rdo.drivers.docker.connection import DockerConnection
from rdo.drivers.docker.driver import DockerDriver
from tests.connecting import connected
from tests.docker_engine import DockerEngine
from tests.soak import tries
from tests.ssh_client import ScriptedCaller

SIZES = range(1_100_000, 1_800_000, tries(50_000, 20_000))
"""Around the sizes of the buffers of engine and kernel: less is read by them at once, and with more the program does
not end.
"""

PAUSE = 3.5
"""Seconds for which the reader pauses: more than the engine's 2."""


def begin(connection: DockerConnection, command: str) -> tuple[DockerChannel, int]:
    """Start a program, and read this many bytes."""
    channel = connection.open_channel(command, None)
    size = 0
    while size <= SAFE_OUTPUT_LIMIT:
        chunk = channel.read(10.0)
        assert chunk is not None
        size += len(chunk.data)
    return channel, size


def finish(channel: DockerChannel, size: int) -> int:
    """Read the rest. Returns the total number of bytes."""
    while (chunk := channel.read(10.0)) is not None:
        size += len(chunk.data)
    assert channel.exit_status() == 3
    channel.close()
    return size


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["container", "fresh"])
def test_a_late_reader_gets_everything(docker_engine: DockerEngine, tmp_path: Path, kind: str) -> None:
    environment = {**os.environ, "DOCKER_HOST": docker_engine.host}
    with docker_engine.container() as name:
        fresh = Settings(image=docker_engine.image(), pull_image="never", fresh=True)
        settings = fresh if kind == "fresh" else Settings(container=name)
        driver = DockerDriver(settings, str(tmp_path), "default", environment)
        connection = connected(driver, ScriptedCaller(environment=environment))
        try:
            begun = [begin(connection, f"head -c {size} /dev/zero; exit 3") for size in SIZES]
            time.sleep(PAUSE)
            assert [finish(channel, size) for channel, size in begun] == list(SIZES)
        finally:
            connection.close()
