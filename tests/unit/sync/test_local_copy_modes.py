"""Tests for the modes of directories that a pull creates here, whatever the umask of the process is."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.sync.local_copy import LocalCopy
from rdo.sync.pull_scan import Seen


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalCopy]:
    tmp_path.chmod(0o755)
    before = os.umask(0o077)  # as in a control master
    local = LocalCopy(os.fsencode(tmp_path))
    yield local
    local.close()
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def put(local: LocalCopy, path: bytes) -> None:
    local.begin("1")
    local.write(path, b"text")
    local.place("1", path, Seen("file", 0o640, 4, 10**9, "t"))


def test_a_directory_created_for_a_file_gets_the_mode_of_its_parent(local: LocalCopy, tmp_path: Path) -> None:
    put(local, b"dist/a/file")
    assert [mode(tmp_path / each) for each in ("dist", "dist/a", "dist/a/file")] == [0o755, 0o755, 0o640]


def test_a_directory_that_the_target_reports_gets_its_mode(local: LocalCopy, tmp_path: Path) -> None:
    put(local, b"dist/a/file")
    local.make_directory(b"dist/a", 0o750)
    local.make_directory(b"dist/b", 0o775)
    assert [mode(tmp_path / each) for each in ("dist", "dist/a", "dist/b")] == [0o755, 0o750, 0o775]


def test_an_existing_directory_keeps_its_mode(local: LocalCopy, tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir(mode=0o700)
    put(local, b"dist/file")
    local.make_directory(b"dist", 0o777)
    assert mode(tmp_path / "dist") == 0o700
