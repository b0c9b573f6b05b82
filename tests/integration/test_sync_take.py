"""Tests for taking files from one side, which makes both sides equal, and for the listed differences."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.sync.conflict import SyncConflict
from rdo.sync.push_sender import PushResult
from tests.sync_target import Side, pushed_side, refuse, texts, tree_of, write


@pytest.fixture
def side(tmp_path: Path) -> Iterator[Side]:
    with pushed_side(tmp_path) as side:
        yield side


def test_a_file_taken_from_here_replaces_the_remote_one(side: Side) -> None:
    for path in ("a", "src/c"):
        (side.there / path).write_text("theirs")
    side.write({"a": "ours"})
    side.push(over=[b"a"])
    assert (side.there / "a").read_text() == "ours"
    assert (side.there / "src/c").read_text() == "theirs"
    side.push(over=[b"src"])
    assert side.is_same


def test_taking_a_removed_file_from_here_removes_the_remote_one(side: Side) -> None:
    (side.there / "a").write_text("theirs")
    (side.here / "a").unlink()
    side.push(over=[b"a"])
    assert side.is_same


def test_a_file_taken_from_there_is_the_same_on_both_sides(side: Side) -> None:
    (side.there / "a").write_text("theirs")
    side.write({"a": "ours"})
    refuse(side)
    write(side.there, {"new": "theirs"})
    assert side.tree.take_there(side.use, os.fsencode(side.here), [b"a", b"new"]).pulled == 2
    assert side.tree.differences(side.use, os.fsencode(side.here), tree_of(side.here)) == []
    side.push()
    assert side.is_same
    assert (side.here / "a").read_text() == "theirs"


def test_differences_are_listed_by_kind(side: Side) -> None:
    write(side.there, {"new": "theirs", "other": "not looked at"})
    (side.there / "b").write_text("theirs")
    (side.there / "src/c").unlink()
    side.write({"new": "ours", "a": "edited"})
    (side.here / "src/deep/d").unlink()
    found = {each.path: each.there for each in side.tree.differences(
        side.use, os.fsencode(side.here), tree_of(side.here))}  # fmt: skip
    assert found == {
        b"new": "not ours", b"b": "changed", b"src/c": "missing", b"a": "outdated", b"src/deep/d": "outdated"
    }  # fmt: skip


def test_a_directory_that_others_created_is_not_a_difference(side: Side) -> None:
    write(side.there, {"built/theirs": "1"})
    side.write({"built/": ""})
    assert side.tree.differences(side.use, os.fsencode(side.here), tree_of(side.here)) == []


def test_a_file_that_was_removed_there_is_restored_on_request(side: Side) -> None:
    shutil.rmtree(side.there / "src")
    (side.there / "link").unlink()
    write(side.there, {"src/theirs": "3"})
    (side.there / "b").write_text("theirs")
    assert side.push() == PushResult()
    side.tree.lose_missing(side.use, os.fsencode(side.here))
    assert side.push().put == 4
    assert texts(side.there) == texts(side.here) | {b"src/theirs": b"3", b"b": b"theirs"}
    (side.there / "src/c").unlink()
    side.tree.lose_missing(side.use, os.fsencode(side.here))
    (side.there / "src/c").write_text("theirs")
    with pytest.raises(SyncConflict):
        side.push()
    assert (side.there / "src/c").read_text() == "theirs"
