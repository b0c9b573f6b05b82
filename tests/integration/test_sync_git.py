"""Tests for `.git` on the target, and for git that runs there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.sync.conflict import SyncConflict
from tests.one_shell import OneShell
from tests.sync_target import Side, tree_of

IDENTITY = ("-c", "user.name=x", "-c", "user.email=x@example.org")


def git(side: Path, *words: str) -> str:
    found = subprocess.run(["git", *IDENTITY, *words], cwd=side, check=True, capture_output=True, text=True)
    return found.stdout


@pytest.fixture
def side(tmp_path: Path) -> Iterator[Side]:
    """A repository with two commits, all of which is on the target."""
    pool = OneShell()
    side = Side(tmp_path, pool)
    git(side.here, "init", "-q")
    for number in (1, 2):
        side.write({"a": str(number), f"d/f{number}": "x"})
        git(side.here, "add", ".")
        git(side.here, "commit", "-qm", str(number))
    side.push()
    yield side
    pool.close()


LOOKS = [
    ["status"],
    ["diff", "HEAD"],
    ["log", "-p"],
    ["describe", "--always", "--dirty"],
    ["update-index", "--refresh"],
]


@pytest.mark.parametrize("words", LOOKS, ids=" ".join)
@pytest.mark.parametrize("restarted", [False, True])
def test_git_status_there_does_not_conflict_with_staging_here(side: Side, words: list[str], restarted: bool) -> None:
    for number in (3, 4):
        said = git(side.there, *words)
        assert said == git(side.here, *words)
        side.write({"a": str(number), f"d/f{number}": "x"})
        git(side.here, "add", ".")
        if number == 4:
            git(side.here, "commit", "-qm", str(number))
        if restarted:
            side.fresh()
        side.push()
        assert git(side.there, "status", "--porcelain") == git(side.here, "status", "--porcelain")
        assert git(side.there, "log", "--format=%H") == git(side.here, "log", "--format=%H")


def test_an_index_that_git_has_refreshed_does_not_differ(side: Side) -> None:
    before = (side.there / ".git/index").read_bytes()
    os.utime(side.there / "a", (1, 1))
    git(side.there, "status")
    assert (side.there / ".git/index").read_bytes() != before
    differences = side.tree.differences(side.use, os.fsencode(side.here), tree_of(side.here))
    assert differences == []


@pytest.mark.parametrize("restarted", [False, True])
def test_what_was_staged_there_is_not_lost(side: Side, restarted: bool) -> None:
    (side.there / "theirs").write_text("x")
    git(side.there, "add", "theirs")
    side.write({"a": "3"})
    git(side.here, "add", ".")
    if restarted:
        side.fresh()
    with pytest.raises(SyncConflict, match=r"`.git/index` has changed there"):
        side.push()
    assert git(side.there, "diff", "--cached", "--name-only") == "theirs\n"


def test_a_refreshed_index_does_not_conflict_with_a_removed_repository(side: Side) -> None:
    os.utime(side.there / "a", (1, 1))
    git(side.there, "status")
    (side.here / ".git/index").unlink()
    assert side.push().removed == 1
