"""Tests for the stamp of the config files, by which both sides know that they read the same text."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rdo.project import discover, stamp, user_file

CONFIG = ".rdo.conf"


def change_content(path: Path) -> None:
    path.write_text("driver = 'ssh'")


def change_time(path: Path) -> None:
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


def change_mode(path: Path) -> None:
    path.chmod(0o666)


def replace(path: Path) -> None:
    """Replace a file by another one of the same size and time."""
    before = path.stat()
    other = path.with_name("other")
    other.write_bytes(bytes(before.st_size))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("name", [CONFIG, ".rdo.local.conf", "user"])
@pytest.mark.parametrize("change", [change_content, change_time, change_mode, replace, Path.unlink])
def test_the_stamp_changes_with_each_of_the_files(project: Path, name: str, change: Callable[[Path], None]) -> None:
    config, user = str(project / CONFIG), str(project / "user")
    for file in (CONFIG, ".rdo.local.conf", "user"):
        (project / file).write_text("x")
    before = stamp(config, user)
    assert stamp(config, user) == before
    change(project / name)
    assert stamp(config, user) != before


def test_the_stamp_changes_when_a_missing_file_appears(project: Path) -> None:
    before = stamp(f"{project}/{CONFIG}", f"{project}/user")
    (project / ".rdo.local.conf").touch()
    assert stamp(f"{project}/{CONFIG}", f"{project}/user") != before


def test_what_is_discovered_holds_the_stamp_of_its_files(project: Path, enter: Callable[..., None]) -> None:
    enter(project)
    found = discover(os.environ)
    assert found.stamp == stamp(found.config, user_file(os.environ))
