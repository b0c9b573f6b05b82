"""Tests for which drivers report that the target shares the project's files without a copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdo.config.schema import Settings
from rdo.drivers.docker.driver import DockerDriver
from rdo.drivers.local.driver import LocalDriver
from rdo.drivers.root import Root
from rdo.drivers.vagrant import driver as vagrant
from rdo.drivers.vagrant.project import RSYNC


def test_a_container_that_rdo_creates_has_it_mounted(tmp_path: Path) -> None:
    driver = DockerDriver(Settings(image="a"), str(tmp_path), "default", {})
    assert driver.sharing() == "rdo mounts it into the container"


def test_another_directory_of_this_machine_does_not_share_it(tmp_path: Path) -> None:
    assert LocalDriver(str(tmp_path), "/elsewhere").sharing() == ""


@pytest.mark.parametrize(
    ("note", "local", "shared"),
    [("", "", True), ("", "..", True), ("", "below", False), (RSYNC, "", False)],
    ids=["the project", "what holds it", "a part of it", "by rsync"],
)
def test_a_vagrant_machine_shares_it_unless_that_is_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, note: str, local: str, shared: bool
) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "Vagrantfile").touch()
    root = str(tmp_path / "project")
    made = vagrant.VagrantDriver(
        root, machine="web", directory=None, auto_up=False, connect_timeout=None, environment={"HOME": str(tmp_path)}
    )
    monkeypatch.setattr(vagrant, "find_machine", lambda *_: object())
    place = str((tmp_path / "project" / local).resolve())
    monkeypatch.setattr(vagrant, "synced_roots", lambda *_: [Root(place, "/vagrant", note)])
    assert made.sharing() == (f"`{place}` is a synced folder of the machine" if shared else "")
