"""Tests for a lost or outdated record of what rdo has put on a target: the files are still rdo's own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync_target import Side, pushed_side


@pytest.fixture
def side(tmp_path: Path) -> Iterator[Side]:
    with pushed_side(tmp_path) as side:
        yield side


def test_existing_equal_files_are_adopted_and_not_sent_again(side: Side) -> None:
    shutil.rmtree(side.there / ".rdo-sync")
    (side.there / "b").write_text("2")  # at another time
    (side.there / "src/c").chmod(0o600)
    side.fresh()
    (side.here / "new").write_text("5")
    before = {name: (side.there / name).stat().st_ino for name in ("a", "src/deep/d")}
    assert side.push().size == len("2" + "3" + "5")
    assert side.is_same
    assert {name: (side.there / name).stat().st_ino for name in before} == before
    (side.here / "a").write_text("11")
    (side.here / "link").unlink()
    assert side.fresh() is side.tree
    assert (side.push().size, side.is_same) == (2, True)


def test_a_lost_record_does_not_cause_conflicts(side: Side) -> None:
    shutil.rmtree(side.there / ".rdo-sync")
    side.write({"a": "changed here"})
    (side.here / "b").unlink()
    side.tree.forget()
    result = side.push()
    assert (result.put, result.removed, side.is_same) == (1, 1, True)


def test_an_outdated_record_does_not_cause_conflicts(side: Side) -> None:
    kept = shutil.copytree(side.there / ".rdo-sync", side.there.parent / "kept")
    side.write({"a": "newer", "src/e": "newer"})
    side.push()
    shutil.rmtree(side.there / ".rdo-sync")
    kept.rename(side.there / ".rdo-sync")
    side.write({"a": "newest"})
    (side.here / "src/e").unlink()
    side.tree.forget()
    assert (side.push().put, side.is_same) == (1, True)
