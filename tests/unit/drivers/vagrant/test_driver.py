"""Tests for what the driver knows about a machine without calling Vagrant, and when it checks again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rdo.drivers.root import Root
from rdo.drivers.vagrant.driver import VagrantDriver
from rdo.drivers.vagrant.store import CHOICE_FILE, VagrantCache
from rdo.errors import ConnectError
from rdo.util import foreign_file


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "Vagrantfile").touch()
    create(tmp_path / "project", "default")
    return tmp_path / "project"


def create(project: Path, name: str, provider: str = "virtualbox") -> Path:
    directory = project / ".vagrant" / "machines" / name / provider
    directory.mkdir(parents=True)
    (directory / "id").write_text(f"{name}'s")
    share(directory, "/vagrant")
    return directory


def share(directory: Path, there: str) -> None:
    shared = {"/": {"hostpath": str(directory.parents[3]), "guestpath": there}}
    (directory / "synced_folders").write_text(json.dumps({"virtualbox": shared}))


def driver_of(project: Path, machine: str | None = None) -> VagrantDriver:
    environment = {"HOME": str(project.parent / "home")}
    return VagrantDriver(
        str(project), machine=machine, directory=None, auto_up=False, connect_timeout=None, environment=environment
    )


def choose(project: Path, name: str) -> None:
    driver = driver_of(project)
    cache = VagrantCache({"HOME": str(project.parent / "home")}, driver.project.dotfile)
    cache.write(CHOICE_FILE, driver.project.stamp(), name)


def test_a_shared_directory_that_moves_is_found_by_the_next_command(project: Path) -> None:
    driver = driver_of(project)
    assert driver.roots() == [Root(str(project), "/vagrant")]
    share(project / ".vagrant" / "machines" / "default" / "virtualbox", "/srv")
    assert driver.roots() == [Root(str(project), "/srv")]


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "it was destroyed": (lambda project: os.unlink(project / ".vagrant/machines/default/virtualbox/id"), "vagrant"),
    "another was created": (lambda project: create(project, "db"), "vagrant"),
    "another was chosen": (lambda project: (create(project, "db"), choose(project, "db")), "vagrant db"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_another_machine_is_used_at_once(project: Path, name: str) -> None:
    driver = driver_of(project)
    assert driver.target == "vagrant default"
    change, target = CHANGES[name]
    change(project)
    assert driver.target == target


def test_a_choice_is_valid_until_the_vagrantfile_changes(project: Path) -> None:
    create(project, "db")
    choose(project, "db")
    driver = driver_of(project)
    assert driver.target == "vagrant db"
    (project / "Vagrantfile").write_text("# other machines")
    assert driver.target == "vagrant"


def test_a_second_provider_is_noticed(project: Path) -> None:
    driver = driver_of(project)
    driver.roots()
    create(project, "default", "libvirt")
    with pytest.raises(ConnectError, match="several machines `default` match"):
        driver.roots()


def test_a_machine_that_begins_to_run_is_the_one_of_two_providers(project: Path) -> None:
    libvirt = create(project, "default", "libvirt")
    share(libvirt, "/other")
    (libvirt / "index_uuid").write_text("1")
    index = project.parent / "home" / ".vagrant.d" / "data" / "machine-index" / "index"
    index.parent.mkdir(parents=True)
    driver = driver_of(project)
    with pytest.raises(ConnectError):
        driver.roots()
    index.write_text(json.dumps({"machines": {"1": {"state": "running"}}}))
    assert driver.roots() == [Root(str(project), "/other")]
    index.write_text(json.dumps({"machines": {"1": {"state": "poweroff"}}}))
    with pytest.raises(ConnectError):
        driver.roots()


@pytest.mark.parametrize("machine", [None, "default"])
def test_a_change_of_any_file_that_is_read_is_noticed(
    project: Path, machine: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(project, "default", "libvirt")
    looked_at: set[str] = set()
    scandir, read_text = os.scandir, foreign_file.read_text

    def list_names(path: str) -> object:
        looked_at.add(path)
        return scandir(path)

    def read(path: str, limit: int, *, within: str = "") -> str:
        looked_at.add(path)
        return read_text(path, limit, within=within)

    monkeypatch.setattr(os, "scandir", list_names)
    monkeypatch.setattr(foreign_file, "read_text", read)
    driver = driver_of(project, machine)
    with pytest.raises(ConnectError):
        driver.roots()
    (project / ".vagrant/machines/default/libvirt/id").write_text("")
    driver.roots()
    paths = looked_at.copy()
    assert len(paths) > 3
    for path in paths:
        looked_at.clear()
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()
        driver.roots()
        assert looked_at
        looked_at.clear()
        driver.roots()
        assert not looked_at
