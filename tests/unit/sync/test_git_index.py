"""Tests for reading what a git index tracks, independent of lstat(2) data, from indexes written by git and from odd
ones.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from rdo.sync.git_index import is_index, tracked


class Repository:
    """A repository with some files, of which one has a long name, and one a name with the prefix of another."""

    def __init__(self, root: Path, *options: str) -> None:
        self.root = root
        self.git("init", "-q", *options)
        for name in ("a", "a-b", "a-b-c", "d/e", "n" * 200):
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(name)
        self.git("add", ".")

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.root, check=True, stdout=subprocess.DEVNULL)

    @property
    def index(self) -> bytes:
        return (self.root / ".git/index").read_bytes()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


@pytest.mark.parametrize("version", ["2", "4"])
def test_a_refresh_changes_the_file_but_not_what_it_tracks(repository: Repository, version: str) -> None:
    repository.git("update-index", "--index-version", version)
    before = repository.index
    for name in ("a", "d/e"):
        os.utime(repository.root / name, (1, 1))
    repository.git("status")
    assert repository.index != before
    assert tracked(repository.index) == tracked(before) != ""


def test_all_versions_give_the_same(repository: Repository) -> None:
    said = set()
    for version in ("2", "4"):
        repository.git("update-index", "--index-version", version)
        said.add(tracked(repository.index))
    assert len(said) == 1


@pytest.mark.parametrize(
    "change",
    [
        ["rm", "-q", "--cached", "a"],
        ["update-index", "--chmod=+x", "a"],
        ["update-index", "--assume-unchanged", "a"],
        ["update-index", "--skip-worktree", "a"],
        ["add", "new"],
        ["add", "-N", "new"],
        ["mv", "a", "z"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("version", ["2", "4"])
def test_a_manual_change_is_seen(repository: Repository, change: list[str], version: str) -> None:
    repository.git("update-index", "--index-version", version)
    (repository.root / "new").write_text("")
    before = tracked(repository.index)
    repository.git(*change)
    assert tracked(repository.index) not in (before, "")


def test_objects_may_have_longer_names(tmp_path: Path) -> None:
    repository = Repository(tmp_path, "--object-format=sha256")
    before = tracked(repository.index)
    os.utime(tmp_path / "a", (1, 1))
    repository.git("status")
    assert tracked(repository.index) == before != ""


def test_a_split_index_is_not_understood(repository: Repository) -> None:
    repository.git("update-index", "--split-index")
    assert tracked(repository.index) == ""


def signed(data: bytes) -> bytes:
    return data + hashlib.sha1(data).digest()


EMPTY = b"DIRC\0\0\0\x02\0\0\0\0"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text",
        EMPTY,
        signed(b"DIRC\0\0\0\x05\0\0\0\0"),
        signed(b"CRID\0\0\0\x02\0\0\0\0"),
        signed(EMPTY[:-1] + b"\x01"),
        signed(b"DIRC\0\0\0\x04\0\0\0\x01" + b"\0" * 62 + b"\xff" * 30),
        signed(EMPTY + b"link\0\0\0\0"),
        signed(EMPTY + b"TREE\0\0\0\x09"),
    ],
)
def test_a_file_that_is_not_an_index_tracks_nothing(data: bytes) -> None:
    assert tracked(data) == ""


@pytest.mark.parametrize("data", [signed(EMPTY), EMPTY + bytes(20), signed(EMPTY + b"TREE\0\0\0\x01xsdir\0\0\0\0")])
def test_an_empty_index_is_valid(data: bytes) -> None:
    assert tracked(data) == tracked(signed(EMPTY)) != ""


def test_a_name_may_drop_more_than_127_bytes_of_the_one_before(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    for name in ("m" * 240, "z"):
        (tmp_path / name).write_text("")
    repository.git("add", ".")
    one = tracked(repository.index)
    repository.git("update-index", "--index-version", "4")
    assert tracked(repository.index) == one


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b".git/index", True),
        (b"sub/.git/index", True),
        (b".git/modules/a/b/index", True),
        (b".git/worktrees/a/index", True),
        (b"index", False),
        (b".git/refs/heads/index", False),
        (b"a.git/index", False),
        (b".git/index.lock", False),
        (b".git/modules/index", False),
    ],
)
def test_where_git_keeps_an_index(path: bytes, expected: bool) -> None:
    assert is_index(path) is expected
