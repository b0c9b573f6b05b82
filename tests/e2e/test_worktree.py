"""Tests for a git worktree beside its checkout: nothing runs in the directory of another branch."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e.project import Project, local_project

pytestmark = pytest.mark.usefixtures("lent")

GIT = ("git", "-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "protocol.file.allow=always")


def git(directory: Path, *words: str) -> None:
    subprocess.run([*GIT, *words], cwd=directory, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A checkout with a committed config."""
    if not shutil.which("git"):
        require("git", "git is not installed")
    project = local_project(tmp_path, runtime)
    git(project.local, "init", "-q")
    (project.local / "src" / "file").touch()
    git(project.local, "add", ".")
    git(project.local, "commit", "-qm", "x")
    return project


@pytest.mark.parametrize("where", ["../beside it", "below/it"])
def test_a_worktree_does_not_run_in_the_main_checkout_s_directory(project: Project, where: str) -> None:
    git(project.local, "worktree", "add", "-q", where, "-b", "feature")
    top = Path(os.path.normpath(project.local / where))
    there = os.path.normpath(project.remote / where)
    for cwd in (top, top / "src"):
        found = project.run("touch", "made", cwd=str(cwd))
        assert (found.returncode, found.stdout) == (255, b"")
        assert found.stderr.decode() == (
            f"rdo: {top}/.rdo.conf:2: `directory` is that of the main checkout `{project.local}`, and `{top}` is a git "
            f'worktree of it; write the directory of this worktree into .rdo.local.conf: `directory = "{there}"`; '
            "or use `--dir`\n"
        )
    assert not list(project.remote.rglob("made"))
    explained = project.shell(f"cd '{top}' && rdoctl explain true")
    assert (explained.returncode, b"is a git worktree of it" in explained.stderr) == (255, True)
    assert project.run("pwd").stdout.decode() == f"{project.remote}\n"
    assert project.run("--dir", "/", "pwd", cwd=str(top)).stdout == b"/\n"
    Path(there).mkdir(parents=True, exist_ok=True)
    (top / ".rdo.local.conf").write_text(f'directory = "{there}"\n')
    assert project.run("pwd", cwd=str(top)).stdout.decode() == f"{there}\n"


def test_a_worktree_with_a_relative_path_to_its_repository_is_recognized(project: Project) -> None:
    git(project.local, "worktree", "add", "-q", "../other", "-b", "feature")
    top = project.local.parent / "other"
    name = os.path.basename((top / ".git").read_text().strip())
    (top / ".git").write_text(f"gitdir: ../{project.local.name}/.git/worktrees/{name}\n")
    assert b"is a git worktree of it" in project.run("true", cwd=str(top)).stderr


def test_a_submodule_and_a_clone_are_separate_checkouts(project: Project, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(project.local), "clone")
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "submodule", "--quiet", "add", str(project.local), "sub")
    for directory in (tmp_path / "clone", outer / "sub"):
        assert project.run("pwd", cwd=str(directory)).stdout.decode() == f"{project.remote}\n"


def test_an_unusual_git_file_is_ignored(tmp_path: Path, runtime: dict[str, str]) -> None:
    project = local_project(tmp_path, runtime)
    for content in (b"", b"gitdir: \n", b"\xff\0", b"gitdir: /x/.git/worktrees/\n", b"x" * 100_000):
        (project.local / ".git").write_bytes(content)
        os.utime(project.local / ".rdo.conf", ns=(len(content), len(content)))  # a new master
        assert project.run("pwd").stdout.decode() == f"{project.remote}\n"


def test_a_worktree_whose_config_has_its_own_directory_runs_there(project: Project) -> None:
    git(project.local, "worktree", "add", "-q", "../other", "-b", "feature")
    there = project.remote.parent / "other there"
    there.mkdir()
    config = project.local.parent / "other/.rdo.conf"
    config.write_text(config.read_text().replace(str(project.remote), str(there)))
    done = project.run("pwd", cwd="../other")
    assert (done.returncode, done.stdout.decode()) == (0, f"{there}\n")
