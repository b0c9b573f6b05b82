"""What Vagrant keeps on disk about a machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rdo.drivers.base import Root
from rdo.drivers.vagrant import machine as vagrant_machine
from rdo.drivers.vagrant.machine import RSYNC, VagrantMachine, index_state, seems_down, synced_folders
from rdo.drivers.vagrant.project import VagrantProject, find_project
from rdo.errors import ConnectError

REAL = (
    '{"docker":{"/srv/app src":{"guestpath":"/srv/app src","hostpath":"/home/me/one/src","disabled":false,'
    '"__vagrantfile":true},"/vagrant":{"guestpath":"/vagrant","hostpath":"/home/me/one","disabled":false,'
    '"__vagrantfile":true}}}'
)
"""As Vagrant 2.3.4 wrote it."""


@pytest.fixture
def place(tmp_path: Path) -> VagrantProject:
    (tmp_path / "Vagrantfile").touch()
    return find_project(str(tmp_path), {})


def create(place: VagrantProject, name: str = "web", provider: str = "virtualbox", identity: str = "b0b") -> Path:
    directory = Path(place.machines, name, provider)
    directory.mkdir(parents=True)
    (directory / "id").write_text(identity)
    return directory


def directories(**details: object) -> str:
    return json.dumps({"nfs": {"x": {"hostpath": "/here", "guestpath": "/there", **details}}})


def test_synced_folders_as_vagrant_writes_them() -> None:
    assert synced_folders(REAL, "/home/me/one") == [
        Root("/home/me/one/src", "/srv/app src"),
        Root("/home/me/one", "/vagrant"),
    ]


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({}, [Root("/here", "/there")]),
        ({"disabled": True}, []),
        ({"hostpath": "src/"}, [Root("/project/src", "/there")]),
        ({"hostpath": "."}, [Root("/project", "/there")]),
        ({"guestpath": "/there/"}, [Root("/here", "/there")]),
        ({"guestpath": "~/there"}, []),
        ({"guestpath": None}, []),
        ({"hostpath": ""}, []),
    ],
    ids=str,
)
def test_a_synced_folder_becomes_a_root(details: dict[str, object], expected: list[Root]) -> None:
    assert synced_folders(directories(**details), "/project") == expected


def test_a_local_path_may_start_at_the_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert synced_folders(directories(hostpath="~/x"), "/project") == [Root("/home/me/x", "/there")]


def test_an_rsync_directory_is_noted_as_one_way() -> None:
    assert synced_folders(directories().replace("nfs", "rsync"), "/") == [Root("/here", "/there", RSYNC)]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"nfs": []}', '{"nfs": {"x": 1}}', "[" * 100_000])
def test_a_file_that_is_not_as_expected_has_no_directories(text: str) -> None:
    assert synced_folders(text, "/") == []


def test_a_created_machine_is_found_by_its_name(place: VagrantProject) -> None:
    directory = create(place)
    assert vagrant_machine.find(place, "web", {}) == VagrantMachine("web", "virtualbox", "b0b", str(directory))
    assert vagrant_machine.known(place) == ["web"]


def test_a_machine_without_an_id_is_not_created(place: VagrantProject) -> None:
    create(place, identity="")
    Path(place.machines, "web", "docker").mkdir()
    assert vagrant_machine.find(place, "web", {}) is None
    assert vagrant_machine.known(place) == ["web"]


def test_in_a_fresh_clone_there_is_nothing(place: VagrantProject) -> None:
    assert vagrant_machine.find(place, "web", {}) is None
    assert vagrant_machine.known(place) == []


def test_the_provider_with_an_id_counts(place: VagrantProject) -> None:
    Path(place.machines, "web", "docker").mkdir(parents=True)
    directory = create(place)
    found = vagrant_machine.find(place, "web", {})
    assert found is not None
    assert found.directory == str(directory)


def test_the_roots_of_a_machine_are_read_from_its_directory(place: VagrantProject) -> None:
    directory = create(place)
    machine = vagrant_machine.find(place, "web", {})
    assert machine is not None
    assert vagrant_machine.roots(place, machine) == []
    (directory / "synced_folders").write_text(directories(hostpath="src"))
    assert vagrant_machine.roots(place, machine) == [Root(f"{place.directory}/src", "/there")]


@pytest.mark.parametrize(
    ("index", "state"),
    [
        ('{"version":1,"machines":{"u1":{"name":"web","state":"poweroff"}}}', "poweroff"),
        ('{"version":1,"machines":{"u2":{"name":"web","state":"poweroff"}}}', ""),
        ('{"machines":{"u1":{}}}', ""),
        ('{"machines":{"u1":[]}}', ""),
        ('{"machines":[]}', ""),
        ("", ""),
    ],
)
def test_the_state_that_vagrant_saw_last_is_in_its_index(index: str, state: str) -> None:
    assert index_state(index, "u1") == state


@pytest.mark.parametrize(("state", "down"), [("running", False), ("poweroff", True), ("", False)])
def test_a_machine_seems_down_when_vagrant_saw_it_so(
    place: VagrantProject, tmp_path: Path, state: str, down: bool
) -> None:
    (create(place) / "index_uuid").write_text("u1")
    index = tmp_path / ".vagrant.d" / "data" / "machine-index"
    index.mkdir(parents=True)
    (index / "index").write_text(json.dumps({"machines": {"u1": {"state": state}}}))
    machine = vagrant_machine.find(place, "web", {})
    assert machine is not None
    assert seems_down(machine, {"HOME": str(tmp_path)}) is down
    assert seems_down(machine, {"VAGRANT_HOME": str(tmp_path / ".vagrant.d")}) is down
    assert seems_down(machine, {"VAGRANT_HOME": "/nowhere"}) is False


def test_of_two_providers_machines_none_is_guessed(place: VagrantProject, tmp_path: Path) -> None:
    for provider in ("libvirt", "virtualbox"):
        directory = Path(place.machines) / "web" / provider
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "id").write_text(provider)
        (directory / "index_uuid").write_text(f"u-{provider}")
    home = {"VAGRANT_HOME": str(tmp_path / "vagrant.d")}
    with pytest.raises(
        ConnectError, match="several machines `web` match: they were created by `libvirt`, `virtualbox`; "
    ):
        vagrant_machine.find(place, "web", home)
    chosen = vagrant_machine.find(place, "web", {"VAGRANT_DEFAULT_PROVIDER": "virtualbox"})
    index = tmp_path / "vagrant.d" / "data" / "machine-index" / "index"
    index.parent.mkdir(parents=True)
    index.write_text('{"machines": {"u-libvirt": {"state": "running"}, "u-virtualbox": {"state": "poweroff"}}}')
    running = vagrant_machine.find(place, "web", home)
    assert (chosen and chosen.provider, running and running.provider) == ("virtualbox", "libvirt")
