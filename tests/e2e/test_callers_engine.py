"""Tests that each caller's variables select the engine, whoever started the control master."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker_engine import DockerEngine
from tests.e2e.project import Project, make_project


def docker_home(home: Path, host: str) -> str:
    """A home directory in which `docker context use` selected an engine."""
    context = home / ".docker" / "contexts" / "meta" / hashlib.sha256(b"chosen").hexdigest()
    context.mkdir(parents=True)
    (context / "meta.json").write_text(json.dumps({"Name": "chosen", "Endpoints": {"docker": {"Host": host}}}))
    (home / ".docker" / "config.json").write_text(json.dumps({"currentContext": "chosen"}))
    return str(home)


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str], docker_engine: DockerEngine) -> Iterator[Project]:
    """A project of a container, for callers who each select their own engine."""
    with docker_engine.container() as name:
        project = make_project(tmp_path, {**runtime, "DOCKER_HOST": ""})
        project.configure(f'driver = "docker"\ncontainer = "{name}"\ndirectory = "/opt"\n')
        yield project


def test_each_caller_has_the_engine_that_docker_would_use(
    project: Project, tmp_path: Path, docker_engine: DockerEngine
) -> None:
    ours = docker_home(tmp_path / "ours", docker_engine.host)
    others = docker_home(tmp_path / "others", f"unix://{tmp_path}/none.sock")
    here = {"HOME": ours}
    elsewhere: list[dict[str, str]] = [
        {"HOME": others},
        {"HOME": ours, "DOCKER_CONFIG": f"{others}/.docker"},
        {"HOME": ours, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"},
    ]
    for variables in elsewhere:
        assert project.run("pwd", env=here).stdout == b"/opt\n"
        found = project.run("pwd", env=variables)
        assert (found.returncode, found.stdout) == (255, b"")
        assert f"{tmp_path}/none.sock".encode() in found.stderr
        assert b"has changed" not in found.stderr
    assert project.run("pwd", env={**here, "DOCKER_CONTEXT": "missing"}).returncode == 255
    assert project.run("pwd", env=here).stdout == b"/opt\n"


def test_each_caller_has_the_compose_project_that_compose_would_use(
    tmp_path: Path, runtime: dict[str, str], docker_engine: DockerEngine
) -> None:
    project = make_project(tmp_path, {**runtime, "DOCKER_HOST": docker_engine.host})
    project.configure('driver = "docker"\nservice = "web"\n')
    labels = {
        f"com.docker.compose.{key}": value
        for key, value in {"service": "web", "config-hash": "0", "project.working_dir": str(project.local)}.items()
    }

    def of(name: str) -> dict[str, str]:
        return {**labels, "com.docker.compose.project": name}

    with (
        docker_engine.container(labels=of("one"), mounts={project.local: "/one"}),
        docker_engine.container(labels=of("two"), mounts={project.local: "/two"}),
    ):
        for name in ("one", "two", "one"):
            assert project.run("pwd", env={"COMPOSE_PROJECT_NAME": name}).stdout.decode() == f"/{name}\n"
        assert b"several containers" in project.run("pwd").stderr
