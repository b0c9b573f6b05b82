"""Tests for changes to thousands of files at once, by switching branches and by a package manager."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.sync.entry import changes
from rdo.sync.local_tree import LocalTree
from rdo.sync.rules import SyncRules
from tests.soak import tries
from tests.sync_project import ENVIRONMENT, git, scanned

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not

RULES = SyncRules("push")


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalTree]:
    said: list[str] = []
    git(tmp_path, "init", "-q")
    local = LocalTree(str(tmp_path), RULES, said.append)
    yield local
    local.close()
    assert said == []


def fill(directory: Path, count: int, text: str) -> None:
    for number in range(count):
        below = directory / f"d{number % 50}"
        if number < 50:
            below.mkdir(parents=True)
        (below / str(number)).write_text(text)


def test_a_branch_switch_of_thousands_of_files_is_seen_completely(local: LocalTree, tmp_path: Path) -> None:
    count = tries(1500, 5000)
    fill(tmp_path / "a", count, "one")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "one")
    git(tmp_path, "checkout", "-q", "-b", "other")
    shutil.rmtree(tmp_path / "a")
    fill(tmp_path / "b", count, "two")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "two")
    tree = local.settle(ENVIRONMENT)
    for branch, name in (("main", b"a"), ("other", b"b"), ("main", b"a")):
        git(tmp_path, "checkout", "-q", branch)
        before, tree = tree, local.settle(ENVIRONMENT)
        assert len(tree) == len(changes(before, tree).put) == count + 51
        assert {path[:1] for path in tree} == {name}
        assert {path: entry[:-1] for path, entry in tree.items()} == scanned(os.fsencode(tmp_path), RULES)


def test_packages_that_are_ignored_are_not_even_read(local: LocalTree, tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("node_modules/\n")
    fill(tmp_path / "node_modules", 1000, "x")
    tree = local.settle(ENVIRONMENT)
    assert list(tree) == [b".gitignore"]
    fill(tmp_path / "node_modules/more", tries(1000, 40_000), "x")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "scandir", None)
        assert local.settle(ENVIRONMENT) is tree
    shutil.rmtree(tmp_path / "node_modules")
    assert local.settle(ENVIRONMENT) is tree


def test_a_file_that_changes_continuously_has_what_was_written_before(local: LocalTree, tmp_path: Path) -> None:
    fill(tmp_path / "a", 500, "x")
    file = tmp_path / "a/d7/7"
    before = local.settle(ENVIRONMENT)
    for number in range(tries(300, 5000)):
        file.write_text(f"{number:06}")
        after = local.settle(ENVIRONMENT)
        assert changes(before, after).put.keys() == {b"a/d7/7"}, number
        before = after
