"""What of a repository belongs: what git would track. With real git."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from rdo.errors import ConfigError, RdoError
from rdo.sync.entry import Tree, changes
from rdo.sync.local_tree import LocalTree
from rdo.sync.rules import SyncRules
from rdo.sync.watcher import Start, start
from tests.sync_project import ENVIRONMENT, git, unwatched


class Clone:
    """A repository, and the tree of it."""

    def __init__(self, root: Path, how: str) -> None:
        self.root = root
        self.said: list[str] = []
        self.how = how
        self.environment: Mapping[str, str] = ENVIRONMENT
        self.local = LocalTree(str(root), SyncRules("push"), self.said.append, self._start())

    def use(self, rules: SyncRules, root: Path | None = None) -> None:
        self.local.close()
        self.local = LocalTree(str(root or self.root), rules, self.said.append, self._start())

    def _start(self) -> Start:
        return start if self.how == "inotify" else unwatched

    def write(self, path: str | bytes, text: str = "x") -> None:
        whole = self.root / os.fsdecode(path)
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_text(text)

    def git(self, *words: str | bytes) -> bytes:
        return git(self.root, *words)

    def tree(self) -> Tree:
        return self.local.settle(self.environment)

    def files(self) -> list[bytes]:
        """The files and links, as git lists them."""
        return sorted(path for path, entry in self.tree().items() if entry.kind != "directory")

    def tracked(self) -> list[bytes]:
        """What git would track."""
        return sorted(set(self.git("ls-files", "-z", "-c", "-o", "--exclude-standard").split(b"\0")) - {b""})


@pytest.fixture(params=["inotify", "scan"])
def clone(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Clone]:
    root = tmp_path / "root"
    root.mkdir()
    git(root, "init", "-q")
    clone = Clone(root, request.param)
    yield clone
    clone.local.close()


def test_what_is_ignored_does_not_belong_and_git_itself_does_not(clone: Clone) -> None:
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


def test_names_that_mean_something_to_git_are_just_names(clone: Clone) -> None:
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


def test_the_users_own_excludes_file_counts(clone: Clone, tmp_path: Path) -> None:
    clone.write("a.o")
    clone.write("a.swp")
    assert clone.files() == [b"a.o", b"a.swp"]
    (tmp_path / "excludes").write_text("*.o\n")
    clone.git("config", "core.excludesFile", str(tmp_path / "excludes"))
    assert clone.files() == [b"a.swp"]
    (tmp_path / "excludes").write_text("*.swp\n")
    assert clone.files() == [b"a.o"]


def test_what_is_ignored_but_tracked_belongs(clone: Clone) -> None:
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


def test_include_names_what_git_ignores_and_nothing_else_of_it(clone: Clone) -> None:
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


def test_what_git_tracks_and_pull_names_is_an_error(clone: Clone) -> None:
    clone.write("dist/app")
    clone.write("dist/notes")
    clone.use(SyncRules("push", pull=("dist/**",)))
    assert clone.files() == []
    clone.git("add", "dist/notes")
    with pytest.raises(ConfigError, match="`dist/notes` belongs to both sides: git tracks it, so that"):
        clone.tree()
    with pytest.raises(ConfigError, match="`dist/notes` belongs to both sides"):
        clone.tree()
    clone.git("rm", "-q", "--cached", "dist/notes")
    assert clone.files() == []
    clone.git("add", "dist/notes")
    clone.use(SyncRules("push", pull=("dist/**",), exclude=("dist/notes",)))
    assert clone.files() == []


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
def test_what_only_looks_like_a_repository_is_none(clone: Clone, kind: str) -> None:
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


def test_git_itself_belongs_if_that_is_asked_for(clone: Clone) -> None:
    clone.write("a")
    clone.git("add", "a")
    clone.use(SyncRules("push", sync_git=True))
    before = clone.tree()
    assert {b".git/HEAD", b".git/index", b".git/refs/heads"} <= before.keys()
    clone.git("commit", "-q", "-m", "x")
    assert {b".git/refs/heads/main", b".git/index"} <= changes(before, clone.tree()).put.keys()


def test_a_repository_that_is_made_or_removed_later_counts(clone: Clone) -> None:
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


def test_a_project_that_a_repository_above_ignores_is_none_of_its(clone: Clone) -> None:
    clone.write(".gitignore", "*\n")
    clone.write("work/a")
    clone.use(SyncRules("push"), clone.root / "work")
    assert clone.files() == [b"a"]


def test_a_linked_worktree_is_a_repository_as_any(clone: Clone, tmp_path: Path) -> None:
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


def test_without_git_a_repository_is_not_taken_for_plain_files(clone: Clone, tmp_path: Path) -> None:
    clone.write(".env")
    clone.environment = {"PATH": str(tmp_path)}
    with pytest.raises(RdoError, match=r"cannot ask git which files of `.*root` to copy: `git` is not"):
        clone.tree()
    clone.environment = ENVIRONMENT
    assert clone.files() == [b".env"]


def test_a_broken_repository_is_not_taken_for_plain_files(clone: Clone) -> None:
    clone.write("a")
    (clone.root / ".git/HEAD").rename(clone.root / ".git/LOST")
    with pytest.raises(RdoError, match=r"not a git repository.*; repair or remove `.git`"):
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
    hint = "`git config --global --add safe.directory .*root`, if you trust it"
    with pytest.raises(RdoError, match=f"git sees dubious ownership there, of another user; {hint}"):
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


def test_variables_of_the_caller_do_not_lead_git_elsewhere(clone: Clone, tmp_path: Path) -> None:
    clone.write("a")
    clone.environment = {**ENVIRONMENT, "GIT_DIR": str(tmp_path / "x"), "GIT_INDEX_FILE": "/etc/passwd"}
    assert clone.files() == [b"a"]
