"""Tests with a container that the devcontainer CLI started for a directory: rdo finds it, and uses it in the same
way.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rdo.config.schema import Settings
from rdo.drivers.docker.driver import DockerDriver
from rdo.errors import ConnectError
from tests.conftest import require
from tests.docker_client import TIMEOUT, connections, output
from tests.docker_engine import DockerEngine
from tests.ssh_client import ScriptedCaller

PACKAGE = "@devcontainers/cli"
CLI_TIMEOUT = 120.0
"""Seconds for npm, and for a container to be up."""

CONFIG = {
    "remoteUser": "nobody",
    "updateRemoteUserUID": False,
    "containerEnv": {"IN": "there"},
    "remoteEnv": {
        "A": "${containerEnv:IN}",
        "B": "${localEnv:MINE}",
        "C": "${localEnv:NOPE:default}",
        "D": "${containerWorkspaceFolder}",
    },
}

Up = Callable[[Path], None]


@pytest.fixture(scope="module")
def cli() -> str:
    """The CLI, installed once in the user's cache directory."""
    if found := shutil.which("devcontainer"):
        return found
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rdo-tests" / "devcontainers"
    program = cache / "node_modules" / ".bin" / "devcontainer"
    if not program.exists():
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(cache), PACKAGE]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=CLI_TIMEOUT)
        except (OSError, subprocess.SubprocessError) as error:
            require("devcontainers", f"{PACKAGE} cannot be installed: {error}")
    return str(program)


@pytest.fixture
def up(cli: str, docker_engine: DockerEngine, tmp_path: Path) -> Iterator[Up]:
    """Starts the container of a project by the CLI, with the `docker` program of this machine."""
    if shutil.which("docker") is None:
        require("docker", "the docker command, which the CLI runs, is not installed")

    def start(project: Path) -> None:
        config = project / ".devcontainer" / "devcontainer.json"
        config.parent.mkdir(parents=True)
        config.write_text(json.dumps({"image": docker_engine.image(), **CONFIG}))
        environment = {**os.environ, "DOCKER_HOST": docker_engine.host, "HOME": str(tmp_path)}
        command = [cli, "up", "--workspace-folder", str(project)]
        found = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=CLI_TIMEOUT, check=False
        )
        assert found.returncode == 0, found.stderr

    yield start
    with docker_engine.client() as client:
        for container in client.containers.list(all=True, filters={"label": "devcontainer.local_folder"}):
            container.remove(force=True)


def driver(engine: DockerEngine, root: Path, **settings: Any) -> DockerDriver:
    environment = {**os.environ, "DOCKER_HOST": engine.host}
    return DockerDriver(Settings(driver="docker", **settings), str(root), "default", environment)


def test_it_is_found_with_its_user_its_variables_and_its_directory(
    docker_engine: DockerEngine, up: Up, tmp_path: Path
) -> None:
    project = tmp_path / "app"
    (project / "src").mkdir(parents=True)
    up(project)
    environment = {**os.environ, "DOCKER_HOST": docker_engine.host, "MINE": "secret"}
    found = driver(docker_engine, project / "src")
    (root,) = found.roots()
    assert (root.local, root.remote) == (str(project), "/workspaces/app")
    caller = ScriptedCaller(environment=environment)
    with connections(environment) as connect:
        connection = connect(found)
        target = found.resolve(caller)
        variables = target.options(caller, None).variables
        target.release()
        channel = connection.open_channel("id -un; echo $A $B $C $D", None, variables)
        text = b""
        while (chunk := channel.read(TIMEOUT)) is not None:
            text += chunk.data
        assert text == b"nobody\nthere secret default /workspaces/app\n"
        channel.close()
        assert output(connect(driver(docker_engine, project, user="0")), "id -u") == "0"
    assert found.target == "dev container of src"


def test_without_a_dev_container_the_error_says_how_to_start_one(docker_engine: DockerEngine, tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match=r"no dev container for `.*`; `devcontainer up --workspace-folder .`, or"):
        driver(docker_engine, tmp_path).roots()
