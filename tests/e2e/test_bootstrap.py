"""Tests for `rdo make bootstrap` as in the README's transcripts. For a Vagrant machine, see test_vagrant_machine.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docker_engine import DockerEngine
from tests.e2e.document import README
from tests.e2e.project import Project, make_project, ssh_project
from tests.sshd import Sshd

MAKEFILE = 'bootstrap:\n\t@echo "bootstrap: in $(CURDIR)"\n\t@echo bootstrap: done\n'


def bootstrap(project: Project) -> str:
    """The output of `cd src && rdo make bootstrap`, with the Makefile on both sides."""
    for directory in (project.local, project.remote):
        if directory.exists():
            (directory / "src").mkdir(exist_ok=True)
            (directory / "src" / "Makefile").write_text(MAKEFILE)
    done = project.run("make", "bootstrap", cwd="src")
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


def transcript(directory: str) -> str:
    """The lines that a run in `directory` prints according to the README."""
    lines = f"bootstrap: in {directory}/src\nbootstrap: done\n"
    assert lines in README.text
    return lines


def test_on_an_ssh_host(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> None:
    project = ssh_project(tmp_path, runtime, sshd)
    assert bootstrap(project) == transcript("/srv/myapp").replace("/srv/myapp", str(project.remote))


@pytest.mark.parametrize("way", ["container", "image"])
def test_in_docker(tmp_path: Path, runtime: dict[str, str], docker_engine: DockerEngine, way: str) -> None:
    project = make_project(tmp_path, {**runtime, "DOCKER_HOST": docker_engine.host})
    with docker_engine.container(mounts={project.local: "/srv/myapp"}) as container:
        name = container if way == "container" else docker_engine.image()
        project.configure(f'driver = "docker"\n{way} = "{name}"\n')
        assert bootstrap(project) == transcript("/srv/myapp" if way == "container" else "/src")
