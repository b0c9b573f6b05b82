"""Tests for repositories in a project and above it, and for linked, broken and hostile ones, with real git."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from rdo.errors import RdoError
from rdo.sync.entry import changes
from rdo.sync.rules import SyncRules
from tests.sync_project import ENVIRONMENT, git
from tests.sync_trees import Clone

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not


def test_nested_repositories_and_submodules_have_their_own_rules(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    git(tmp_path / "library", "init", "-q")
    for name, text in ((".gitignore", "*.tmp\n"), ("lib.c", "x")):
        (tmp_path / "library" / name).write_text(text)
    git(tmp_path / "library", "add", "-A")
    git(tmp_path / "library", "commit", "-q", "-m", "x")
    clone.write(".gitignore", "*.o\n")
    clone.tree()
    clone.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "library"), "mod")
    clone.git("clone", "-q", str(tmp_path / "library"), "own")
    for directory in ("mod", "own"):
        for name in ("a.o", "a.tmp"):
            clone.write(f"{directory}/{name}")
    expected = [b".gitignore", b".gitmodules"]
    expected += [f"{each}/{name}".encode() for each in ("mod", "own") for name in (".gitignore", "a.o", "lib.c")]
    assert clone.files() == expected
    (clone.root / "own/.gitignore").write_text("*.o\n")
    assert clone.files() == [path if path != b"own/a.o" else b"own/a.tmp" for path in expected]
    clone.git("submodule", "--quiet", "deinit", "-f", "mod")
    assert [path for path in clone.tree() if path.startswith(b"mod")] == [b"mod"]
    shutil.rmtree(clone.root / "own/.git")
    assert [path for path in clone.files() if path.startswith(b"own")] == [
        b"own/.gitignore",
        b"own/a.tmp",
        b"own/lib.c",
    ]


@pytest.mark.parametrize("kind", ["a file of anything", "a file that leads nowhere", "an empty directory"])
def test_what_only_looks_like_a_repository_is_not_one(clone: Clone, kind: str) -> None:
    clone.write(".gitignore", "*.o\n")
    if kind == "an empty directory":
        (clone.root / "data/.git").mkdir(parents=True)
    else:
        clone.write("data/.git", "anything" if kind == "a file of anything" else "gitdir: /nowhere\n")
    clone.write("data/a.o")
    clone.write("data/a")
    assert clone.files() == [b".gitignore", b"data/a"]
    clone.write("data/b")
    assert clone.files() == [b".gitignore", b"data/a", b"data/b"]


def test_the_git_directory_belongs_if_it_is_requested(clone: Clone) -> None:
    clone.write("a")
    clone.git("add", "a")
    clone.use(SyncRules("push", sync_git=True))
    before = clone.tree()
    assert {b".git/HEAD", b".git/index", b".git/refs/heads"} <= before.keys()
    clone.write(".git/index.lock")
    clone.write("poetry.lock")
    assert {b".git/index.lock", b"poetry.lock"} & clone.tree().keys() == {b"poetry.lock"}, "git is at work here"
    (clone.root / ".git/index.lock").unlink()
    clone.git("commit", "-q", "-m", "x")
    assert {b".git/refs/heads/main", b".git/index"} <= changes(before, clone.tree()).put.keys()


def test_a_repository_that_is_created_or_removed_later_is_noticed(clone: Clone) -> None:
    clone.write(".gitignore", "*.o\n")
    clone.write("a.o")
    shutil.rmtree(clone.root / ".git")
    assert clone.files() == [b".gitignore", b"a.o"]
    clone.git("init", "-q")
    assert clone.files() == [b".gitignore"]
    shutil.rmtree(clone.root / ".git")
    assert clone.files() == [b".gitignore", b"a.o"]
    git(clone.root.parent, "init", "-q")
    assert clone.files() == [b".gitignore"]


def test_a_project_below_the_top_of_its_repository_has_all_its_rules(clone: Clone) -> None:
    clone.write(".gitignore", "*.o\n/web/gen\n")
    for path in ("web/a.js", "web/a.o", "web/gen/x", "web/forced.o", "other"):
        clone.write(path)
    clone.git("add", "-f", "web/forced.o")
    clone.use(SyncRules("push"), clone.root / "web")
    assert clone.files() == [b"a.js", b"forced.o"]
    clone.write(".gitignore", "*.js\n")
    assert clone.files() == [b"a.o", b"forced.o", b"gen/x"]


def test_a_project_that_a_repository_above_ignores_does_not_belong_to_it(clone: Clone) -> None:
    clone.write(".gitignore", "*\n")
    clone.write("work/a")
    clone.use(SyncRules("push"), clone.root / "work")
    assert clone.files() == [b"a"]


def test_a_linked_worktree_is_a_repository(clone: Clone, tmp_path: Path) -> None:
    clone.write(".gitignore", "*.o\n")
    clone.git("add", "-A")
    clone.git("commit", "-q", "-m", "x")
    clone.git("worktree", "add", "-q", str(tmp_path / "second"))
    clone.use(SyncRules("push"), tmp_path / "second")
    (tmp_path / "second/a.o").write_text("")
    assert clone.files() == [b".gitignore"]
    git(tmp_path / "second", "add", "-f", "a.o")
    assert clone.files() == [b".gitignore", b"a.o"]
    (clone.root / ".git/info").mkdir(exist_ok=True)
    (clone.root / ".git/info/exclude").write_text("b\n")
    (tmp_path / "second/b").write_text("")
    assert clone.files() == [b".gitignore", b"a.o"]


def test_without_git_a_repository_is_an_error(clone: Clone, tmp_path: Path) -> None:
    clone.write(".env")
    clone.environment = {"PATH": str(tmp_path)}
    with pytest.raises(RdoError, match=r"cannot ask git which files of `.*root` to copy: `git` is not"):
        clone.tree()
    clone.environment = ENVIRONMENT
    assert clone.files() == [b".env"]


def test_a_broken_repository_is_an_error(clone: Clone) -> None:
    clone.write("a")
    (clone.root / ".git/HEAD").rename(clone.root / ".git/LOST")
    with pytest.raises(RdoError, match=r"not a git repository.*; repair `.git`, or remove it"):
        clone.tree()
    (clone.root / ".git/LOST").rename(clone.root / ".git/HEAD")
    (clone.root / ".git/index").write_text("nothing of the kind")
    with pytest.raises(RdoError, match=r"index file.*; see what `git status` says"):
        clone.tree()
    (clone.root / ".git/index").unlink()
    assert clone.files() == [b"a"]


def test_a_repository_that_git_does_not_trust_is_an_error(clone: Clone) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to give a file away")
    os.chown(clone.root, 65534, 65534)
    os.chown(clone.root / ".git", 65534, 65534)
    hint = "run `git config --global --add safe.directory .*root` if you trust it"
    with pytest.raises(RdoError, match=f"git does not trust it, since it belongs to another user; {hint}"):
        clone.tree()


def test_no_program_that_a_repository_names_is_run(clone: Clone, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    clone.write("a", "x")
    clone.git("add", "a")
    for key in (
        "core.fsmonitor",
        "core.editor",
        "core.sshCommand",
        "filter.x.clean",
        "filter.x.process",
        "diff.external",
    ):
        clone.git("config", key, str(program))
    (clone.root / ".git/hooks").mkdir(exist_ok=True)
    shutil.copy(program, clone.root / ".git/hooks/post-index-change")
    clone.write(".gitattributes", "* filter=x\n")
    clone.write("b")
    assert clone.files() == [b".gitattributes", b"a", b"b"]
    clone.write("c")
    clone.write("a", "y")
    assert clone.files() == [b".gitattributes", b"a", b"b", b"c"]
    assert not (tmp_path / "ran").exists()


def test_variables_of_the_caller_do_not_affect_git(clone: Clone, tmp_path: Path) -> None:
    clone.write("a")
    clone.environment = {**ENVIRONMENT, "GIT_DIR": str(tmp_path / "x"), "GIT_INDEX_FILE": "/etc/passwd"}
    assert clone.files() == [b"a"]
