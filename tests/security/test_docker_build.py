"""Tests for a clone with a hostile `build`: nothing is built before it was allowed, and nothing outside of the project
is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker_engine import DockerEngine
from tests.e2e.project import Project, make_project

SECRET = "a secret of this machine"


@pytest.fixture
def clone(tmp_path: Path, runtime: dict[str, str], docker_engine: DockerEngine) -> Iterator[Project]:
    """A fresh clone next to a file that it must not read. The images built for it are removed."""
    project = make_project(tmp_path, {**runtime, "DOCKER_HOST": docker_engine.host})
    (tmp_path / "secret").write_text(f"FROM {docker_engine.image()}\n# {SECRET}\n")
    project.configure('build = "."\n')
    yield project
    project.shell("rdoctl stop --all --now")
    for image in images(docker_engine):
        with docker_engine.client() as client:
            client.images.remove(image, force=True)


def images(engine: DockerEngine) -> list[str]:
    """The images that rdo built."""
    with engine.client() as client:
        return [str(each.id) for each in client.images.list(filters={"label": "rdo.build"})]


def test_a_clone_builds_nothing_before_it_was_allowed(clone: Project, docker_engine: DockerEngine) -> None:
    (clone.local / "Dockerfile").write_text(f"FROM {docker_engine.image()}\n")
    refused = clone.run("true", env={"RDO_TRUST": ""})
    assert (refused.returncode, refused.stdout) == (255, b"")
    assert b"`rdoctl allow`" in refused.stderr
    assert images(docker_engine) == []


@pytest.mark.parametrize(
    "change",
    ['build = ".."\n', 'build = "/"\n', 'build = "~"\n', 'build = "src/../.."\n', 'build = "out"\n'],
)
def test_no_directory_outside_of_the_project_is_built(clone: Project, docker_engine: DockerEngine, change: str) -> None:
    (clone.local / "out").symlink_to("..")
    (clone.local.parent / "Dockerfile").write_text(f"FROM {docker_engine.image()}\nCOPY secret /\n")
    clone.configure(change)
    refused = clone.run("cat", "/secret")
    assert (refused.returncode, refused.stdout) == (255, b"")
    assert images(docker_engine) == []


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore", "Dockerfile.dev"])
def test_a_link_that_leads_outside_is_not_followed_for_a_build(
    clone: Project, docker_engine: DockerEngine, name: str
) -> None:
    (clone.local / "Dockerfile").write_text(f"FROM {docker_engine.image()}\n")
    (clone.local / name).unlink(missing_ok=True)
    (clone.local / name).symlink_to("../secret")
    if name == "Dockerfile.dev":
        clone.configure('build = "."\ndockerfile = "Dockerfile.dev"\n')
    refused = clone.run("-v", "true")
    assert refused.returncode == 255
    assert SECRET.encode() not in refused.stdout + refused.stderr
    assert images(docker_engine) == []


def test_links_in_the_context_arrive_as_links(clone: Project, docker_engine: DockerEngine) -> None:
    (clone.local / "link").symlink_to("../secret")
    (clone.local / "all").symlink_to("..")
    (clone.local / "Dockerfile").write_text(f"FROM {docker_engine.image()}\nCOPY . /ctx/\n")
    result = clone.run("sh", "-c", "cat /ctx/link /ctx/all/secret; readlink /ctx/link /ctx/all")
    assert result.stdout == b"../secret\n..\n"


def test_an_endless_dockerfile_is_refused(clone: Project) -> None:
    (clone.local / "Dockerfile").symlink_to("/dev/zero")
    assert clone.run("true").returncode == 255


def test_the_output_of_a_build_cannot_control_the_terminal(clone: Project, docker_engine: DockerEngine) -> None:
    (clone.local / "Dockerfile").write_text(
        f"FROM {docker_engine.image()}\nRUN printf 'x\\033]0;title\\007y\\033[2J\\r\\n'; exit 1\n"
    )
    result = clone.run("-v", "true")
    assert result.returncode == 255
    assert b"title" in result.stderr
    assert b"\x1b" not in result.stderr
