"""Tests a tree after thousands of random changes against one that is read as a whole, and a copy that follows its
changes.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from rdo.sync.entry import Tree, changes
from rdo.sync.local_tree import LocalTree
from rdo.sync.rules import SyncRules
from tests.soak import Counted, tries
from tests.sync_project import ENVIRONMENT, RandomChanges, git, scanned

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not

BURST = 12
"""The largest number of changes at a time."""

RULES = {
    "all": SyncRules("push", exclude=("d/c.o", "**/*.log")),
    "git": SyncRules("push"),
    "git and more": SyncRules("push", include=("build/**", "**/b"), exclude=("e/d/",), pull=("d/e/**", "*.log")),
    "with .git": SyncRules("push", sync_git=True),
}


def follow(copy: dict[bytes, bytes], root: bytes, old: Tree, new: Tree) -> None:
    """Update a copy by the changes alone."""
    put, removed = changes(old, new)
    for path in removed:
        copy.pop(path, None)
    for path, entry in put.items():
        copy.pop(path, None)
        if entry.kind == "file":
            with open(root + b"/" + path, "rb") as file:
                copy[path] = file.read()


def contents(root: bytes, tree: Tree) -> dict[bytes, bytes]:
    found = {}
    for path, entry in tree.items():
        if entry.kind == "file":
            with open(root + b"/" + path, "rb") as file:
                found[path] = file.read()
    return found


@pytest.mark.soak
@pytest.mark.parametrize("kind", RULES)
def test_a_tree_matches_the_disk_after_each_burst_of_changes(tmp_path: Path, kind: str, counted: Counted) -> None:
    rules = RULES[kind]
    (tmp_path / "root").mkdir()
    (tmp_path / "outside").mkdir()
    root = os.fsencode(tmp_path / "root")
    if kind != "all":
        git(root, "init", "-q")
    changing = RandomChanges(root, os.fsencode(tmp_path / "outside"), seed=int(os.environ.get("RDO_SEED", "1")))
    said: list[str] = []
    local = LocalTree(os.fsdecode(root), rules, said.append)
    tree: Tree = {}
    copy: dict[bytes, bytes] = {}
    for number in counted("bursts of changes to files", range(tries(20, 400))):
        for _ in range(changing.random.randint(1, BURST)):
            changing.some()
        before, tree = tree, local.settle(ENVIRONMENT)
        assert {path: entry[:-1] for path, entry in tree.items()} == scanned(root, rules), number
        follow(copy, root, before, tree)
        assert copy == contents(root, tree), number
        again = local.settle(ENVIRONMENT)  # a file with two names that was just written counts as written again
        assert all(tree[path].size == each.size for path, each in changes(tree, again).put.items())
    local.close()
    assert said == []


@pytest.mark.soak
@pytest.mark.parametrize("kind", RULES)
def test_a_tree_that_changes_while_it_is_read_is_correct_afterwards(
    tmp_path: Path, kind: str, counted: Counted
) -> None:
    rules = RULES[kind]
    (tmp_path / "root").mkdir()
    (tmp_path / "outside").mkdir()
    root = os.fsencode(tmp_path / "root")
    if kind != "all":
        git(root, "init", "-q")
    changing = RandomChanges(root, os.fsencode(tmp_path / "outside"), seed=2)
    said: list[str] = []
    local = LocalTree(os.fsdecode(root), rules, said.append)
    for number in counted("looks while files change", range(tries(5, 100))):
        burst = threading.Thread(target=lambda: [changing.some() for _ in range(200)])
        burst.start()
        while burst.is_alive():
            local.settle(ENVIRONMENT)
        tree = local.settle(ENVIRONMENT)
        assert {path: entry[:-1] for path, entry in tree.items()} == scanned(root, rules), number
    local.close()
    assert said == []
