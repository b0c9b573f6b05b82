"""What the engine's descriptions come to: folders, and the container of a service."""

from __future__ import annotations

from typing import Any

import pytest

from rdo.drivers import docker_inspection as inspection
from rdo.drivers.base import Root
from rdo.drivers.docker_pull import note, progress


def bind(source: str, destination: str, **more: object) -> dict[str, object]:
    return {"Type": "bind", "Source": source, "Destination": destination, "RW": True, **more}


def roots(*mounts: dict[str, object], project: str = "/home/me/app", **config: str) -> list[Root]:
    return inspection.roots({"Mounts": list(mounts), "Config": config}, project, lambda path: path)


def test_a_bind_mount_is_a_folder_that_both_sides_see() -> None:
    assert roots(bind("/home/me/app", "/srv")) == [Root("/home/me/app", "/srv")]


def test_only_bind_mounts_are() -> None:
    volume = {"Type": "volume", "Source": "/var/lib/docker/volumes/x/_data", "Destination": "/data"}
    assert roots(volume, bind("/home/me/app/", "/srv/")) == [Root("/home/me/app", "/srv")]


def test_a_read_only_mount_says_so() -> None:
    assert roots(bind("/home", "/h", RW=False)) == [Root("/home", "/h", "read-only")]


def test_a_mount_is_known_by_its_physical_path_too() -> None:
    found = inspection.roots({"Mounts": [bind("/tmp/x", "/x")]}, "/private/tmp/x", lambda path: "/private" + path)
    assert found == [Root("/private/tmp/x", "/x"), Root("/tmp/x", "/x")]


def test_docker_desktop_s_names_are_this_machine_s() -> None:
    assert roots(bind("/host_mnt/home/me", "/m")) == [Root("/home/me", "/m")]


@pytest.mark.parametrize("workdir", ["/work", ""])
def test_the_workdir_stands_in_where_nothing_of_the_project_is_mounted(workdir: str) -> None:
    found = roots(bind("/etc", "/e"), WorkingDir=workdir)
    assert [root[:2] for root in found] == [("/etc", "/e"), ("/home/me/app", workdir or "/")]
    assert "WORKDIR" in found[1].note


@pytest.mark.parametrize("source", ["/", "/home", "/home/me/app", "/home/me/app/src"])
def test_it_does_not_where_a_part_of_the_project_is(source: str) -> None:
    assert [root.local for root in roots(bind(source, "/x"), WorkingDir="/work")] == [source]


def labelled(service: str, number: str = "1", folder: str = "/p", **more: str) -> dict[str, Any]:
    names = {"oneoff": inspection.ONE_OFF, "files": inspection.PROJECT_FILES}
    labels = {inspection.SERVICE: service, inspection.NUMBER: number, inspection.PROJECT_FOLDER: folder}
    return {"Labels": labels | {names[key]: value for key, value in more.items()}, "Names": [f"/{service}-{number}"]}


LISTING = [
    labelled("web", "2"),
    labelled("web", "1", oneoff="True"),
    labelled("web", "10"),
    labelled("db", "1"),
    labelled("web", "1", folder="/p/inner"),
    labelled("far", "1", folder="/elsewhere", files="/p/deploy/compose.yml,/p/deploy/more.yml"),
]


@pytest.mark.parametrize(
    ("folder", "services"),
    [
        ("/p", {"web": "web-2", "db": "db-1"}),
        ("/p/src/deep", {"web": "web-2", "db": "db-1"}),
        ("/p/inner/src", {"web": "web-1"}),
        ("/p/deploy", {"far": "far-1"}),
        ("/q", {}),
    ],
)
def test_a_service_is_the_nearest_project_s_and_its_first_container(folder: str, services: dict[str, str]) -> None:
    found = inspection.services(inspection.of_project(LISTING, inspection.folders_above(folder)))
    assert {service: inspection.name(each) for service, each in found.items()} == services


def test_a_name_is_the_shortest_of_those_that_links_give() -> None:
    assert inspection.name({"Names": ["/web/db", "/db"]}) == "db"
    assert inspection.name({"Name": "/web"}) == "web"
    assert inspection.name({"Id": "0123456789abcdef"}) == "0123456789ab"


@pytest.mark.parametrize(
    ("state", "health"),
    [({}, ""), ({"Health": {"Status": "none"}}, ""), ({"Health": {"Status": "starting"}}, "starting")],
)
def test_health_is_what_the_check_says(state: dict[str, object], health: str) -> None:
    assert inspection.health({"State": state}) == health


def test_progress_counts_layers_and_bytes() -> None:
    layers: dict[str, tuple[int, int]] = {}
    for message in (
        {"status": "Pulling from library/x", "id": "latest"},
        {"status": "Pulling fs layer", "id": "a"},
        {"status": "Waiting", "id": "b"},
        {"status": "Downloading", "id": "a", "progressDetail": {"current": 1_000_000, "total": 4_000_000}},
        {"status": "Downloading", "id": "b", "progressDetail": {"current": 5_000_000, "total": 6_000_000}},
        {"status": "Download complete", "id": "b"},
        {"status": "Extracting", "id": "b", "progressDetail": {"current": 1, "total": 6_000_000}},
    ):
        note(layers, message)
    assert progress(layers) == "1 of 2 layers, 7 of 10 MB, 70 %"
