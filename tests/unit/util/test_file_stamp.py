"""Tests for values that are read from files, and valid until one of them changes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rdo.util.file_stamp import Remembered, stamp

CHANGES: dict[str, Callable[[Path], object]] = {
    "written": lambda path: path.write_text("other"),
    "removed": lambda path: path.unlink(),
    "replaced": lambda path: (path.with_name("new").write_text("text"), os.replace(path.with_name("new"), path)),
    "closed": lambda path: path.chmod(0),
    "a link": lambda path: (path.unlink(), path.symlink_to("elsewhere")),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_of_a_file_is_noticed(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file"
    path.write_text("text")
    (tmp_path / "elsewhere").write_text("text")
    before = stamp(str(path))
    assert stamp(str(path)) == before
    CHANGES[name](path)
    assert stamp(str(path)) != before


def test_a_new_name_in_a_directory_is_noticed(tmp_path: Path) -> None:
    before = stamp(str(tmp_path))
    (tmp_path / "new").touch()
    assert stamp(str(tmp_path)) != before


@pytest.mark.parametrize("path", ["/nowhere/at/all", "with a \0"])
def test_a_missing_file_has_an_empty_stamp(path: str) -> None:
    assert stamp(path) == ()


def test_a_value_is_read_again_only_after_a_change(tmp_path: Path) -> None:
    path, reads = tmp_path / "file", []

    def read() -> str:
        reads.append(path)
        return path.read_text() if path.exists() else ""

    remembered = Remembered(read, lambda value: [str(path)])
    assert remembered.get() == ""
    count = len(reads)
    assert remembered.get() == ""
    assert len(reads) == count
    path.write_text("text")
    assert remembered.get() == "text"


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    values = iter(["one", "two", "two", "two"])
    remembered = Remembered(lambda: next(values), lambda value: [])
    assert remembered.get() == "two"
    assert remembered.get() == "two"
    assert next(values, None) is None
