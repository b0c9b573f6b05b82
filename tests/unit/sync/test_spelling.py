"""Tests for names that a watcher reports in another spelling than that of the directory, as on macOS."""

from __future__ import annotations

import os
from pathlib import Path

from rdo.sync.entry import Entry
from rdo.sync.spelling import Spelled, folded, spelled
from rdo.sync.watcher import Changed

FILE = Entry("file")


def test_a_path_is_compared_without_case_and_however_accents_are_encoded() -> None:
    assert folded(b"README") == folded(b"readme")
    assert folded("\u00c9".encode()) == folded("e\u0301".encode()) == "\u00e9".encode()
    assert folded(b"a\xff") == b"a\xff"


def test_a_file_with_a_new_spelling_is_another_file(tmp_path: Path) -> None:
    (tmp_path / "README").touch()
    found = spelled(Changed({b"readme"}), os.fsencode(tmp_path), [b""], {b"readme": FILE, b"b": FILE})
    assert found == Spelled(Changed({b"readme", b"README"}, set()), {b"readme"})


def test_an_existing_name_is_reported_in_its_spelling_on_the_disk(tmp_path: Path) -> None:
    (tmp_path / "Dir").mkdir()
    (tmp_path / "Dir/File").touch()
    root = os.fsencode(tmp_path)
    found = spelled(Changed({b"dir/file"}), root, [b"", b"Dir"], {b"Dir/File": FILE})
    assert found == Spelled(Changed({b"Dir/File"}, set()), set())


def test_a_path_below_an_unread_directory_means_that_directory(tmp_path: Path) -> None:
    (tmp_path / "New/Deep").mkdir(parents=True)
    found = spelled(Changed({b"new/deep/a"}), os.fsencode(tmp_path), [b""], {})
    assert found == Spelled(Changed({b"New"}, {b"New"}), set())


def test_a_removed_name_is_reported_in_its_former_spelling(tmp_path: Path) -> None:
    known = {b"d": Entry("directory"), b"d/A": FILE}
    found = spelled(Changed({b"D/a"}, {b"D"}), os.fsencode(tmp_path), [b"", b"d"], known)
    assert found == Spelled(Changed({b"d", b"d/A"}, {b"d"}), {b"d", b"d/A"})
