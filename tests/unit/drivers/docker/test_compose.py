"""Tests for which container the name of a service refers to."""

from __future__ import annotations

from typing import Any

import pytest

from rdo.drivers.docker import compose, inspect
from rdo.drivers.docker.inspect import ListedContainer
from rdo.errors import ConnectError

ROOT = "/home/me/app"


def made(
    name: str, service: str = "web", place: str = ROOT, *, status: str = "running", **more: Any
) -> ListedContainer:
    labels = {compose.SERVICE: service, compose.PROJECT_DIRECTORY: place, compose.HASH: "0"}
    labels |= {compose.PREFIX + key: value for key, value in more.get("labels", {}).items()}
    return ListedContainer(name, name, "sha256:1", labels, status, more.get("sources", ()))


def chosen(*listing: ListedContainer, service: str = "web") -> str:
    found = compose.candidates(listing, ROOT, lambda path: path)
    return inspect.only(found.of_service(service), f"the service `{service}`").name


FILES = "project.config_files"


@pytest.mark.parametrize(
    ("listing", "name"),
    [
        pytest.param([made("a"), made("b", "db")], "a", id="the service's"),
        pytest.param([made("a", status="exited"), made("b")], "b", id="the only one that runs"),
        pytest.param([made("a", status="exited")], "a", id="the only one"),
        pytest.param([made("a", labels={"oneoff": "True"}), made("b")], "b", id="none of a `run`"),
        pytest.param([made("a", place="/home/me"), made("b")], "b", id="here before above"),
        pytest.param([made("a", place="/home"), made("b", place="/home/me")], "b", id="the nearest above"),
        pytest.param([made("a", place="/home/me/app2"), made("b", place="/home")], "b", id="not beside"),
        pytest.param([made("a", place=f"{ROOT}/docker")], "a", id="below"),
        pytest.param([made("a", "db"), made("b", place=f"{ROOT}/docker")], "b", id="below, if none is here"),
        pytest.param([made("a", place="/x", labels={FILES: f"{ROOT}/docker/c.yaml"})], "a", id="by a file below"),
        pytest.param([made("a", place="/x", labels={FILES: f"/x/c.yaml,{ROOT}/c.yaml"})], "a", id="by a file here"),
        pytest.param([made("a", place="/x", sources=[f"{ROOT}/src"])], "a", id="by what it mounts"),
        pytest.param([made("a", place="/x", sources=["/home/me"])], "a", id="by what it mounts above"),
    ],
)
def test_a_service_is_one_container(listing: list[ListedContainer], name: str) -> None:
    assert chosen(*listing) == name
    assert chosen(*reversed(listing)) == name


NAMED = [
    made("own", labels={"project": "app", FILES: f"{ROOT}/compose.yaml"}),
    made("beside", labels={"project": "app-ci", FILES: f"{ROOT}/compose.yaml"}),
    made("far", place="/srv/tools", labels={"project": "tools", FILES: "/srv/files/c.yaml,/srv/tools/x.yaml"}),
    made("below", place=f"{ROOT}/docker", labels={"project": "docker", FILES: f"{ROOT}/docker/c.yaml"}),
    made("db", "db", place="/srv/db", labels={"project": "db"}),
    made("once", labels={"project": "app", "oneoff": "True"}),
]


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        pytest.param({}, ["own", "beside"], id="none"),
        pytest.param({"COMPOSE_PROJECT_NAME": "", "COMPOSE_FILE": ""}, ["own", "beside"], id="empty"),
        pytest.param({"COMPOSE_PROFILES": "debug"}, ["own", "beside"], id="a profile"),
        pytest.param({"COMPOSE_PROJECT_NAME": "app-ci"}, ["beside"], id="a name"),
        pytest.param({"COMPOSE_PROJECT_NAME": "tools"}, ["far"], id="a name of another directory"),
        pytest.param({"COMPOSE_PROJECT_NAME": "db"}, [], id="a project without the service"),
        pytest.param({"COMPOSE_PROJECT_NAME": "app", "COMPOSE_FILE": "/srv/tools/x.yaml"}, ["own"], id="name and file"),
        pytest.param({"COMPOSE_FILE": "/srv/tools/x.yaml"}, ["far"], id="a file"),
        pytest.param({"COMPOSE_FILE": "-:/srv/tools/x.yaml:c.yaml"}, ["far"], id="the first file"),
        pytest.param({"COMPOSE_FILE": "docker/c.yaml"}, ["below"], id="a relative one"),
        pytest.param({"COMPOSE_FILE": "../x/c.yaml"}, [], id="a project without containers"),
        pytest.param({"COMPOSE_FILE": "/l/c.yaml,b", "COMPOSE_PATH_SEPARATOR": ","}, ["far"], id="through a link"),
    ],
)
def test_only_the_project_named_by_the_environment_is_considered(variables: dict[str, str], names: list[str]) -> None:
    project = compose.named_project(variables, ROOT)
    found = compose.candidates(NAMED, ROOT, lambda path: path.replace("/l", "/srv/tools"), project)
    assert [each.name for each in found.of_service("web")] == names


@pytest.mark.parametrize(
    ("listing", "why"),
    [
        pytest.param([made("a"), made("b")], "`a` (running), `b` (running)", id="two that run"),
        pytest.param(
            [made("b", status="exited"), made("a", status="paused")], "`a` (paused), `b` (exited)", id="none that runs"
        ),
        pytest.param(
            [made("a", place=f"{ROOT}/x"), made("b", place="/y", sources=[ROOT])],
            "`a` (running), `b` (running)",
            id="two projects around",
        ),
        pytest.param(
            [made("a", place="/home/me"), made("b", place=f"{ROOT}/x")],
            "`a` (running), `b` (running)",
            id="one above and one below",
        ),
    ],
)
def test_several_are_listed_and_none_is_guessed(listing: list[ListedContainer], why: str) -> None:
    with pytest.raises(ConnectError) as caught:
        chosen(*listing)
    assert str(caught.value) == (
        f'the service `web` has several containers: {why}; name one of them: `container = "a"`'
    )


def test_of_many_containers_some_are_listed() -> None:
    with pytest.raises(ConnectError, match=r"`c09` \(running\) \.\.\.; name one"):
        chosen(*(made(f"c{n:02}") for n in range(20)))


@pytest.mark.parametrize("source", ["/", "/home/me/app2", "/etc"])
def test_a_container_that_mounts_nothing_of_the_directory_does_not_belong_to_it(source: str) -> None:
    found = compose.candidates([made("a", place="/x", sources=[source])], ROOT, lambda path: path)
    assert found.services() == []


ALL = {"service": "web", "project.working_dir": ROOT, "config-hash": "0"}


@pytest.mark.parametrize(
    ("image", "own", "counts"),
    [
        pytest.param({}, {}, True, id="an image without labels"),
        pytest.param({"service": "web"}, {}, True, id="an image that compose built"),
        pytest.param(ALL, {}, False, id="all of the image"),
        pytest.param(
            ALL,
            {"image": "sha256:1"},
            True,
            id="all of the image but its id",
        ),
        pytest.param(
            {**ALL, "image": "sha256:1"},
            {"image": "sha256:1", "project": "mine"},
            False,
            id="another label that somebody set",
        ),
        pytest.param({"service": "db", "project.working_dir": "/x", "config-hash": "1"}, {}, True, id="other labels"),
    ],
)
def test_labels_of_the_image_are_ignored(image: dict[str, str], own: dict[str, str], counts: bool) -> None:
    container = made("a", labels=own)
    brought = {compose.PREFIX + name: value for name, value in image.items()}
    found = compose.candidates([compose.without_image_labels(container, brought)], ROOT, lambda path: path)
    assert found.services() == (["web"] if counts else [])


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ([], "`docker compose up -d web`"),
        ([f"{ROOT}/compose.yaml"], "`docker compose up -d web`"),
        (["/home/me/docker-compose.yml"], "`docker compose up -d web`"),
        ([f"{ROOT}/docker/compose.yaml"], f"`docker compose -f docker/compose.yaml up -d web` in `{ROOT}`"),
        (["/x/a.yml", f"{ROOT}/b.yml"], f"`docker compose -f /x/a.yml -f b.yml up -d web` in `{ROOT}`"),
    ],
)
def test_the_command_that_starts_a_service_names_files_that_compose_would_not_find(
    files: list[str], command: str
) -> None:
    assert compose.up_command(files, ROOT, "web") == command
