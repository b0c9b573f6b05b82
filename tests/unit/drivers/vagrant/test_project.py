"""Tests for finding a Vagrant project, and for what Vagrant stores about its machines."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rdo.drivers.root import Root
from rdo.drivers.vagrant.project import (
    RSYNC,
    VagrantMachine,
    VagrantProject,
    find_machine,
    find_project,
    index_state,
    known_machines,
    seems_down,
    synced_folders,
    synced_roots,
)
from rdo.errors import ConfigError, ConnectError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project" / "deep" / "down").mkdir(parents=True)
    (tmp_path / "project" / "Vagrantfile").touch()
    return tmp_path / "project"


@pytest.mark.parametrize("below", ["", "deep", "deep/down"])
def test_the_vagrantfile_is_found_above(project: Path, below: str) -> None:
    place = find_project(str(project / below), {})
    assert (place.vagrantfile, place.directory) == (str(project / "Vagrantfile"), str(project))
    assert (place.dotfile, place.machines) == (str(project / ".vagrant"), str(project / ".vagrant" / "machines"))


def test_the_lower_case_name_is_found_too(tmp_path: Path) -> None:
    (tmp_path / "vagrantfile").touch()
    assert find_project(str(tmp_path), {}).vagrantfile == str(tmp_path / "vagrantfile")


def test_a_custom_name_is_the_only_one_that_is_used(project: Path) -> None:
    (project / "deep" / "Vagrantfile").touch()
    (project / "Other").touch()
    assert find_project(str(project / "deep"), {"VAGRANT_VAGRANTFILE": "Other"}).vagrantfile == str(project / "Other")


@pytest.mark.parametrize("given", ["{project}/deep", "deep", "./deep/down/.."])
def test_vagrant_cwd_replaces_the_directory_and_is_relative_to_the_working_directory(
    project: Path, tmp_path: Path, given: str
) -> None:
    place = find_project(str(tmp_path), {"VAGRANT_CWD": given.format(project=project), "PWD": str(project)})
    assert (place.start, place.directory) == (str(project / "deep"), str(project))


@pytest.mark.parametrize(
    ("given", "dotfile"),
    [(".state", "{project}/.state"), ("../x", "{above}/x"), ("/x/y", "/x/y"), ("", "{project}/.vagrant")],
)
def test_vagrant_dotfile_path_is_relative_to_the_vagrantfile(project: Path, given: str, dotfile: str) -> None:
    place = find_project(str(project / "deep"), {"VAGRANT_DOTFILE_PATH": given})
    assert place.dotfile == dotfile.format(project=project, above=project.parent)


def test_vagrant_gets_the_project_whatever_its_variables_were(project: Path) -> None:
    given = {"PATH": "/bin", "VAGRANT_DOTFILE_PATH": ".state"}
    told = find_project(str(project / "deep"), given).environment({**given, "VAGRANT_CWD": "elsewhere"})
    assert told == {
        "PATH": "/bin",
        "VAGRANT_CWD": str(project / "deep"),
        "VAGRANT_DOTFILE_PATH": str(project / ".state"),
    }


def test_without_a_vagrantfile_the_error_says_where_it_was_searched_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as failure:
        find_project(str(tmp_path), {"VAGRANT_VAGRANTFILE": "NoSuchFile"})
    why = "it and the directories above have no `NoSuchFile` (VAGRANT_VAGRANTFILE); `vagrant init` writes one"
    assert str(failure.value) == f"`{tmp_path}` has no Vagrant machine: {why}"


def test_the_stamp_changes_with_the_vagrantfile(project: Path) -> None:
    place = find_project(str(project), {})
    before = place.stamp()
    os.utime(project / "Vagrantfile", ns=(1, 1))
    touched = place.stamp()
    (project / "Vagrantfile").write_text("# more")
    os.utime(project / "Vagrantfile", ns=(1, 1))
    grown = place.stamp()
    (project / "Vagrantfile").unlink()
    assert len({str(stamp) for stamp in (before, touched, grown, place.stamp())}) == 4


REAL = (
    '{"docker":{"/srv/app src":{"guestpath":"/srv/app src","hostpath":"/home/me/one/src","disabled":false,'
    '"__vagrantfile":true},"/vagrant":{"guestpath":"/vagrant","hostpath":"/home/me/one","disabled":false,'
    '"__vagrantfile":true}}}'
)
"""As written by Vagrant 2.3.4."""


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


def test_a_local_path_may_start_with_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert synced_folders(directories(hostpath="~/x"), "/project") == [Root("/home/me/x", "/there")]


def test_an_rsync_directory_is_noted_as_one_way() -> None:
    assert synced_folders(directories().replace("nfs", "rsync"), "/") == [Root("/here", "/there", RSYNC)]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"nfs": []}', '{"nfs": {"x": 1}}', "[" * 100_000])
def test_a_file_that_is_not_as_expected_has_no_directories(text: str) -> None:
    assert synced_folders(text, "/") == []


def test_a_created_machine_is_found_by_its_name(place: VagrantProject) -> None:
    directory = create(place)
    assert find_machine(place, "web", {}) == VagrantMachine("web", "virtualbox", "b0b", str(directory))
    assert known_machines(place) == ["web"]


def test_a_machine_without_an_id_is_not_created(place: VagrantProject) -> None:
    create(place, identity="")
    Path(place.machines, "web", "docker").mkdir()
    assert find_machine(place, "web", {}) is None
    assert known_machines(place) == ["web"]


def test_in_a_fresh_clone_there_is_nothing(place: VagrantProject) -> None:
    assert find_machine(place, "web", {}) is None
    assert known_machines(place) == []


def test_the_provider_with_an_id_is_used(place: VagrantProject) -> None:
    Path(place.machines, "web", "docker").mkdir(parents=True)
    directory = create(place)
    found = find_machine(place, "web", {})
    assert found is not None
    assert found.directory == str(directory)


def test_the_roots_of_a_machine_are_read_from_its_directory(place: VagrantProject) -> None:
    directory = create(place)
    machine = find_machine(place, "web", {})
    assert machine is not None
    assert synced_roots(place, machine) == []
    (directory / "synced_folders").write_text(directories(hostpath="src"))
    assert synced_roots(place, machine) == [Root(f"{place.directory}/src", "/there")]


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
    machine = find_machine(place, "web", {})
    assert machine is not None
    assert seems_down(machine, {"HOME": str(tmp_path)}) is down
    assert seems_down(machine, {"VAGRANT_HOME": str(tmp_path / ".vagrant.d")}) is down
    assert seems_down(machine, {"VAGRANT_HOME": "/nowhere"}) is False


def test_of_the_machines_of_two_providers_none_is_guessed(place: VagrantProject, tmp_path: Path) -> None:
    for provider in ("libvirt", "virtualbox"):
        directory = Path(place.machines) / "web" / provider
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "id").write_text(provider)
        (directory / "index_uuid").write_text(f"u-{provider}")
    home = {"VAGRANT_HOME": str(tmp_path / "vagrant.d")}
    with pytest.raises(
        ConnectError, match="several machines `web` match: they were created by `libvirt`, `virtualbox`; "
    ):
        find_machine(place, "web", home)
    chosen = find_machine(place, "web", {"VAGRANT_DEFAULT_PROVIDER": "virtualbox"})
    index = tmp_path / "vagrant.d" / "data" / "machine-index" / "index"
    index.parent.mkdir(parents=True)
    index.write_text('{"machines": {"u-libvirt": {"state": "running"}, "u-virtualbox": {"state": "poweroff"}}}')
    running = find_machine(place, "web", home)
    assert (chosen and chosen.provider, running and running.provider) == ("virtualbox", "libvirt")
