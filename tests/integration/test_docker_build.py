"""Tests for images that the engine builds from a directory of the project: when, from what, and which progress is
shown.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rdo.config.schema import Settings
from rdo.drivers.docker.driver import DockerDriver
from rdo.drivers.docker.image_source import LABEL
from rdo.errors import ConfigError, ConnectError
from tests.connecting import connected
from tests.docker_client import Connect, connections, output
from tests.docker_engine import DockerEngine
from tests.ssh_client import ScriptedCaller

Make = Callable[..., DockerDriver]


@pytest.fixture
def environment(docker_engine: DockerEngine) -> dict[str, str]:
    """The environment of a caller."""
    return {**os.environ, "DOCKER_HOST": docker_engine.host}


@pytest.fixture
def make(docker_engine: DockerEngine, tmp_path: Path, environment: dict[str, str]) -> Iterator[Make]:
    """Makes drivers that build the project's directory. The images are removed after the test."""

    def driver(**settings: Any) -> DockerDriver:
        return DockerDriver(Settings(**{"build": ".", **settings}), str(tmp_path), "default", environment)

    yield driver
    with docker_engine.client() as client:
        for image in built(docker_engine):
            client.images.remove(image, force=True)


@pytest.fixture
def connect(environment: dict[str, str]) -> Iterator[Connect]:
    """Connects, and closes the connections after the test."""
    with connections(environment) as connect:
        yield connect


@pytest.fixture
def write(tmp_path: Path, docker_engine: DockerEngine) -> Callable[..., None]:
    """Writes a Dockerfile with these lines after the one that names the base."""

    def write(*lines: str, name: str = "Dockerfile") -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([f"FROM {docker_engine.image()}", *lines, ""]))

    return write


def built(engine: DockerEngine) -> list[str]:
    """The ids of the named images that rdo built."""
    with engine.client() as client:
        return [str(each.id) for each in client.images.list(filters={"label": LABEL}) if each.tags]


def test_a_command_runs_in_the_built_image_with_the_project_mounted(
    make: Make, connect: Connect, write: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "greeting").write_text("hello")
    write("COPY greeting /etc/greeting", "RUN echo made >/etc/made", "ENV WORD=yes")
    text = output(connect(make()), "cat /etc/greeting /etc/made; echo $WORD; cat greeting; pwd")
    assert text == "hellomade\nyes\nhello/src"


def test_it_is_rebuilt_only_when_the_directory_has_changed(
    docker_engine: DockerEngine, make: Make, connect: Connect, write: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / ".dockerignore").write_text("ignored\n")
    (tmp_path / "word").write_text("one")
    write("COPY word /etc/word")
    assert output(connect(make()), "cat /etc/word") == "one"
    before = built(docker_engine)
    (tmp_path / "ignored").write_text("x")
    assert output(connect(make()), "cat /etc/word") == "one"
    assert built(docker_engine) == before
    (tmp_path / "word").write_text("three")
    connection = connect(make())
    assert output(connection, "cat /etc/word") == "three"
    write("COPY word /etc/other")
    assert output(connect(make()), "cat /etc/other") == "three"


def test_images_of_an_earlier_context_are_removed(
    docker_engine: DockerEngine, make: Make, connect: Connect, write: Callable[..., None]
) -> None:
    for word in ("one", "two", "three"):
        write(f"ENV WORD={word}")
        connection = connect(make())
        assert output(connection, "echo $WORD") == word
        connection.close()
    assert len(built(docker_engine)) == 1


def test_arguments_stage_and_another_file_are_passed_to_the_build(
    make: Make, connect: Connect, write: Callable[..., None]
) -> None:
    write("ARG V=0", "RUN echo $V >/etc/v", "FROM scratch", name="env/dev.Dockerfile")
    text = (make()._root, "env/dev.Dockerfile")
    path = Path(*text)
    path.write_text(path.read_text().replace("FROM rdo-test-dash", "FROM rdo-test-dash AS dev", 1))
    driver = make(dockerfile="env/dev.Dockerfile", build_args={"V": "3 x"}, build_target="dev")
    assert output(connect(driver), "cat /etc/v") == "3 x"


def test_a_directory_below_the_project_is_built_and_nothing_beside_it_is_seen(
    make: Make, connect: Connect, write: Callable[..., None], tmp_path: Path
) -> None:
    write("COPY . /ctx/", name="box/Dockerfile")
    (tmp_path / "secret").write_text("s")
    (tmp_path / "box/link").symlink_to("../secret")
    assert output(connect(make(build="box")), "ls -A /ctx; readlink /ctx/link") == "Dockerfile\nlink\n../secret"


def test_a_build_that_fails_shows_its_last_lines(
    make: Make, write: Callable[..., None], environment: dict[str, str]
) -> None:
    write("RUN echo before the buildkit; echo on stderr >&2; exit 3")
    caller = ScriptedCaller(environment=environment)
    with pytest.raises(ConnectError) as caught:
        connected(make(), caller)
    assert caught.value.what == "cannot build `.`"
    assert "returned a non-zero code: 3" in caught.value.why
    assert "buildkit" in caught.value.why
    assert caught.value.hint == "try `docker build .`"
    assert caller.told[0] == "rdo: building `.`"
    assert {"before the buildkit", "on stderr"} <= set(caller.told)


def test_a_dockerfile_that_needs_buildkit_says_what_to_type(
    make: Make, write: Callable[..., None], environment: dict[str, str]
) -> None:
    write("RUN --mount=type=cache,target=/x true")
    with pytest.raises(ConnectError) as caught:
        connected(make(), ScriptedCaller(environment=environment))
    assert caught.value.hint.startswith(
        "if BuildKit is missing, which `RUN --mount` needs: `DOCKER_BUILDKIT=1 docker build -t NAME .`"
    )


@pytest.mark.parametrize(
    ("settings", "link", "why"),
    [
        ({}, None, "there is no `Dockerfile` in it"),
        ({"build": "gone"}, None, "there is no `Dockerfile` in it"),
        ({}, "/etc/hostname", "`Dockerfile` leads out of it"),
        ({"build": "out"}, "/etc", "it lies outside the project"),
    ],
)
def test_an_invalid_build_is_reported_before_anything_is_read(
    make: Make, environment: dict[str, str], tmp_path: Path, settings: dict[str, str], link: str | None, why: str
) -> None:
    if link:
        (tmp_path / ("out" if settings else "Dockerfile")).symlink_to(link)
    with pytest.raises(ConfigError) as caught:
        connected(make(**settings), ScriptedCaller(environment=environment))
    assert caught.value.why == why


def test_with_fresh_each_command_has_a_new_container_of_the_image(
    make: Make, connect: Connect, write: Callable[..., None]
) -> None:
    write("RUN echo made >/etc/made")
    connection = connect(make(fresh=True))
    assert output(connection, "cat /etc/made; touch /tmp/x") == "made"
    assert output(connection, "ls /tmp") == ""
