"""What a user takes from one side: it is then the same on both; and how the sides differ until then."""

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


def test_what_is_taken_from_here_is_overwritten(side: Side) -> None:
    for path in ("a", "src/c"):
        (side.there / path).write_text("theirs")
    side.write({"a": "ours"})
    side.push(over=[b"a"])
    assert (side.there / "a").read_text() == "ours"
    assert (side.there / "src/c").read_text() == "theirs"
    side.push(over=[b"src"])
    assert side.is_same


def test_what_is_removed_here_is_removed_there_when_that_is_taken(side: Side) -> None:
    (side.there / "a").write_text("theirs")
    (side.here / "a").unlink()
    side.push(over=[b"a"])
    assert side.is_same


def test_what_is_taken_from_there_is_the_same_on_both_sides(side: Side) -> None:
    (side.there / "a").write_text("theirs")
    side.write({"a": "ours"})
    refuse(side)
    write(side.there, {"new": "theirs"})
    assert side.tree.take_there(side.use, os.fsencode(side.here), [b"a", b"new"]).pulled == 2
    assert side.tree.differences(side.use, os.fsencode(side.here), tree_of(side.here)) == []
    side.push()
    assert side.is_same
    assert (side.here / "a").read_text() == "theirs"


def test_differences_are_named_by_what_they_are(side: Side) -> None:
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


def test_a_directory_that_others_made_is_no_difference(side: Side) -> None:
    write(side.there, {"built/theirs": "1"})
    side.write({"built/": ""})
    assert side.tree.differences(side.use, os.fsencode(side.here), tree_of(side.here)) == []


def test_what_was_removed_there_comes_again_if_that_is_wanted(side: Side) -> None:
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
