"""Tests for the directories of existing containers, which are those that are mounted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rdo.drivers.root import Root
from tests.docker_client import Make
from tests.docker_engine import DockerEngine


def test_directories_are_those_that_are_mounted(docker_engine: DockerEngine, make: Make, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    with docker_engine.container(runs=False, mounts={tmp_path: "/app", tmp_path / "lib": "/usr/lib/mine"}) as name:
        local = str(tmp_path)
        assert make(container=name).roots() == [Root(local, "/app"), Root(f"{local}/lib", "/usr/lib/mine")]
        assert make(container=name, directory="/x").roots() == [Root(local, "/x")]


def test_what_a_volume_or_a_tmpfs_hides_is_not_shared(docker_engine: DockerEngine, make: Make, tmp_path: Path) -> None:
    options: dict[str, Any] = {"tmpfs": {"/app/tmp": ""}, "volumes": [f"{tmp_path}:/app", "/app/mod"]}
    with docker_engine.client() as client:
        container = client.containers.create(docker_engine.image(), "sleep", **options)
        try:
            found = make(container=container.name).roots()
        finally:
            container.remove(v=True)
    local = str(tmp_path)
    assert [(root.local, root.remote, root.shared) for root in found] == [
        (local, "/app", True), (f"{local}/mod", "/app/mod", False), (f"{local}/tmp", "/app/tmp", False)
    ]  # fmt: skip


def test_a_volume_that_is_made_of_a_directory_is_that_directory(
    docker_engine: DockerEngine, make: Make, tmp_path: Path
) -> None:
    options = {"type": "none", "o": "bind", "device": str(tmp_path)}
    with docker_engine.client() as client:
        volume = client.volumes.create(driver="local", driver_opts=options)
        container = client.containers.create(docker_engine.image(), "sleep", volumes=[f"{volume.name}:/app"])
        try:
            assert make(container=container.name).roots() == [Root(str(tmp_path), "/app")]
        finally:
            container.remove()
            volume.remove(force=True)


def test_nothing_is_shared_where_nothing_is_mounted(docker_engine: DockerEngine, make: Make, tmp_path: Path) -> None:
    with docker_engine.container(runs=False, working_dir="/opt") as name:
        driver = make(container=name)
        assert driver.roots() == []
        words = f"nothing of this directory is mounted in `{name}`; set `directory`"
        assert str(driver.unmapped_error(str(tmp_path))) == words


def test_a_mounted_file_is_no_directory_to_change_to(docker_engine: DockerEngine, make: Make, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with docker_engine.container(runs=False, mounts={tmp_path / "file": "/file"}) as name:
        driver = make(container=name)
        assert driver.roots() == [Root(f"{tmp_path}/file", "/file")]
        words = f"nothing of this directory is mounted in `{name}`; set `directory`"
        assert str(driver.unmapped_error(str(tmp_path))) == words
