"""Checks that no image can present a container of its own as a service of the project, whatever its labels."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.config.schema import Settings
from rdo.drivers.docker.driver import DockerDriver
from rdo.errors import ConnectError
from tests.docker_client import Connect, connections, output
from tests.docker_engine import DockerEngine

PREFIX = "com.docker.compose"


def labels(directory: Path, project: str) -> dict[str, str]:
    return {
        f"{PREFIX}.service": "web",
        f"{PREFIX}.container-number": "1",
        f"{PREFIX}.oneoff": "False",
        f"{PREFIX}.project": project,
        f"{PREFIX}.project.working_dir": str(directory),
        f"{PREFIX}.project.config_files": f"{directory}/compose.yaml",
        f"{PREFIX}.config-hash": project,
    }


@pytest.fixture
def planted(docker_engine: DockerEngine, tmp_path: Path) -> Iterator[str]:
    """An image with all the labels that compose would give to a container of this directory's service."""
    changes = [f"LABEL {name}={value}" for name, value in labels(tmp_path, "x").items()]
    with docker_engine.client() as client:
        container = client.containers.create(docker_engine.image(), "sleep 1")
        image = container.commit("planted", "latest", changes=changes)
        container.remove()
        yield "planted"
        client.images.remove(str(image.id), force=True)


@pytest.fixture
def connect(docker_engine: DockerEngine) -> Iterator[Connect]:
    with connections({**os.environ, "DOCKER_HOST": docker_engine.host}) as connect:
        yield connect


def driver(engine: DockerEngine, root: Path) -> DockerDriver:
    environment = {**os.environ, "DOCKER_HOST": engine.host}
    return DockerDriver(Settings(service="web"), str(root), "default", environment)


def test_the_services_container_is_found_despite_one_whose_image_claims_to_be_it(
    docker_engine: DockerEngine, planted: str, connect: Connect, tmp_path: Path
) -> None:
    mounts = {tmp_path: "/app"}
    with (
        docker_engine.client() as client,
        docker_engine.container(hostname="real", labels=labels(tmp_path, "app"), mounts=mounts) as real,
    ):
        false = client.containers.run(planted, "sleep infinity", detach=True, volumes=[f"{tmp_path}:/app"])
        try:
            assert output(connect(driver(docker_engine, tmp_path)), "hostname") == "real"
            client.containers.get(real).remove(force=True)
            with pytest.raises(ConnectError, match="there is no service `web`"):
                driver(docker_engine, tmp_path).roots()
        finally:
            false.remove(force=True)


def test_an_image_built_by_compose_or_committed_from_a_container_is_still_found(
    docker_engine: DockerEngine, planted: str, connect: Connect, tmp_path: Path
) -> None:
    with docker_engine.client() as client:
        mine = labels(tmp_path, "app")
        container = client.containers.run(
            planted, "sleep infinity", detach=True, hostname="mine", labels=mine, volumes=[f"{tmp_path}:/app"]
        )
        try:
            assert output(connect(driver(docker_engine, tmp_path)), "hostname") == "mine"
        finally:
            container.remove(force=True)


def test_a_re_created_container_with_a_new_mount_is_found(docker_engine: DockerEngine, tmp_path: Path) -> None:
    made = DockerDriver(
        Settings(driver="docker", container="rdo-anew"), str(tmp_path), "default", {"DOCKER_HOST": docker_engine.host}
    )
    with docker_engine.container(runs=False, name="rdo-anew"):
        assert made.roots() == []
    with docker_engine.container(runs=False, mounts={tmp_path: "/app"}, name="rdo-anew"):
        assert [root.remote for root in made.roots()] == ["/app"]
