"""Tests for which files of a git repository belong to a project: those that git would track. With real git."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from rdo.errors import ConfigError
from rdo.sync.rules import SyncRules
from tests.sync_trees import Clone

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not


def test_ignored_files_and_the_git_directory_do_not_belong(clone: Clone) -> None:
    clone.write(".gitignore", "*.o\nbuild/\n/top\n!keep.o\n")
    clone.write("sub/.gitignore", "local\n*.txt\n!a.txt\n")
    for path in (
        "a.c",
        "a.o",
        "keep.o",
        "build/x",
        "top",
        "sub/top",
        "sub/local",
        "sub/a.txt",
        "sub/b.txt",
        "x/build/y",
    ):
        clone.write(path)
    os.mkfifo(clone.root / "fifo")
    assert clone.files() == clone.tracked()
    clone.git("add", "-A")
    clone.git("commit", "-q", "-m", "x")
    for path in ("b.c", "b.o", "build/z", "sub/c.txt", "n/build/x", "n/m/keep.o", "n/m/a.o"):
        clone.write(path)
    assert clone.files() == clone.tracked()
    assert b"n/m/keep.o" in clone.tree()


def test_directories_that_are_empty_belong_unless_they_are_ignored(clone: Clone) -> None:
    clone.write(".gitignore", "build/\n")
    for path in ("empty/one", "build/two", "x/build"):
        (clone.root / path).mkdir(parents=True)
    assert sorted(clone.tree()) == [b".gitignore", b"empty", b"empty/one", b"x"]


def test_names_with_a_special_meaning_in_git_are_just_names(clone: Clone) -> None:
    clone.write(".gitignore", "*.o\n")
    names = [b":(top)", b":!x", b"-n", b"*", b"\xff", b"a\nb", b"!x", b"#x", b" x "]
    for name in names:
        clone.write(name)
        clone.write(name + b".o")
    assert clone.files() == sorted([*names, b".gitignore"])
    clone.write(b":d/" + names[0])
    assert b":d/" + names[0] in clone.tree()


def test_a_changed_gitignore_changes_what_belongs(clone: Clone) -> None:
    for path in ("a.o", "d/b.o", "d/c"):
        clone.write(path)
    assert clone.files() == [b"a.o", b"d/b.o", b"d/c"]
    clone.write(".gitignore", "*.o\n")
    assert clone.files() == [b".gitignore", b"d/c"]
    clone.write("d/.gitignore", "!b.o\n")
    assert clone.files() == [b".gitignore", b"d/.gitignore", b"d/b.o", b"d/c"]
    (clone.root / ".gitignore").unlink()
    assert b"a.o" in clone.files()
    (clone.root / ".git/info").mkdir(exist_ok=True)
    (clone.root / ".git/info/exclude").write_text("c\n")
    assert b"d/c" not in clone.files()


def test_the_users_own_excludes_file_is_used(clone: Clone, tmp_path: Path) -> None:
    clone.write("a.o")
    clone.write("a.swp")
    assert clone.files() == [b"a.o", b"a.swp"]
    (tmp_path / "excludes").write_text("*.o\n")
    clone.git("config", "core.excludesFile", str(tmp_path / "excludes"))
    assert clone.files() == [b"a.swp"]
    (tmp_path / "excludes").write_text("*.swp\n")
    assert clone.files() == [b"a.o"]


def test_a_file_that_gits_config_includes_counts(clone: Clone, tmp_path: Path) -> None:
    clone.write("a.o")
    clone.write("a.swp")
    for name in ("o", "swp"):
        (tmp_path / name).write_text(f"*.{name}\n")
    included = tmp_path / "included"
    included.write_text(f"[core]\nexcludesFile = {tmp_path / 'o'}\n")
    clone.git("config", "include.path", "../../included")
    assert clone.files() == [b"a.swp"]
    included.write_text(f"[core]\nexcludesFile = {tmp_path / 'swp'}\n")
    assert clone.files() == [b"a.o"]


def test_ignored_but_tracked_files_belong(clone: Clone) -> None:
    clone.write(".gitignore", "*.o\nlib/\n")
    for path in ("a.o", "b.o", "lib/deep/c", "lib/d"):
        clone.write(path)
    assert clone.files() == [b".gitignore"]
    clone.git("add", "-f", "a.o", "lib/deep/c")
    assert clone.files() == [b".gitignore", b"a.o", b"lib/deep/c"]
    assert sorted(set(clone.tree()) - set(clone.files())) == [b"lib", b"lib/deep"]
    clone.write("lib/deep/c", "more")
    clone.write("lib/deep/e")
    assert clone.tree()[b"lib/deep/c"].size == 4
    assert b"lib/deep/e" not in clone.tree()
    shutil.rmtree(clone.root / "lib")
    assert sorted(clone.tree()) == [b".gitignore", b"a.o"]
    clone.write("lib/deep/c")
    assert b"lib/deep/c" in clone.tree()
    clone.git("rm", "-q", "--cached", "a.o", "lib/deep/c")
    assert sorted(clone.tree()) == [b".gitignore"]


def test_include_adds_only_the_ignored_files_that_it_names(clone: Clone) -> None:
    clone.write(".gitignore", ".env\nnode_modules/\n*.log\n")
    for path in (".env", "node_modules/a/x.js", "node_modules/b/y.js", "x.log", "d/.env"):
        clone.write(path)
    clone.use(SyncRules("push", include=(".env", "node_modules/a/", "node_modules/c/*.js")))
    assert clone.files() == [b".env", b".gitignore", b"node_modules/a/x.js"]
    assert b"node_modules/b" not in clone.tree()
    clone.write("node_modules/c/z.js")
    clone.write("node_modules/c/z.ts")
    clone.write("node_modules/a/deep/er")
    assert clone.files()[2:] == [b"node_modules/a/deep/er", b"node_modules/a/x.js", b"node_modules/c/z.js"]
    shutil.rmtree(clone.root / "node_modules")
    assert sorted(clone.tree()) == [b".env", b".gitignore", b"d"]
    clone.write("node_modules/q/z.js")
    assert sorted(clone.tree()) == [b".env", b".gitignore", b"d"]


def test_a_tracked_file_that_pull_names_is_an_error(clone: Clone) -> None:
    clone.write("dist/app")
    clone.write("dist/notes")
    clone.use(SyncRules("push", pull=("dist/**",)))
    assert clone.files() == []
    clone.git("add", "dist/notes")
    with pytest.raises(ConfigError, match="`dist/notes` belongs to both sides: git tracks it, so it is pushed, but"):
        clone.tree()
    with pytest.raises(ConfigError, match="`dist/notes` belongs to both sides"):
        clone.tree()
    clone.git("rm", "-q", "--cached", "dist/notes")
    assert clone.files() == []
    clone.git("add", "dist/notes")
    clone.use(SyncRules("push", pull=("dist/**",), exclude=("dist/notes",)))
    assert clone.files() == []
