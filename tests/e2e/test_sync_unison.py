"""Tests for `sync = "unison"`: the user's unison runs before a command, over rdo's own connection."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e.project import Project, ssh_project
from tests.sshd import Sshd


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> Project:
    if shutil.which("unison") is None:
        require("unison", "it is not installed")
    made = ssh_project(tmp_path, runtime, sshd)
    local, remote = tmp_path / "here", tmp_path / "there"
    local.mkdir()
    found = Project(local, remote, made.environment)
    found.configure(f'driver = "ssh"\nhost = "devbox"\ndirectory = "{remote}"\nsync = "unison"\n')
    remote.mkdir()
    return found


def test_changes_on_both_sides_are_exchanged_before_the_command(project: Project) -> None:
    (project.local / "a").write_text("mine")
    (project.remote / "b").write_text("theirs")
    done = project.run("cat", "a", "b")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"minetheirs", b"")
    assert (project.local / "b").read_text() == "theirs"
    (project.local / "b").write_text("mine, too")
    assert project.run("cat", "b").stdout == b"mine, too"
    assert project.run("--sync-only").returncode == 0


def test_a_conflict_stops_the_command(project: Project) -> None:
    (project.local / "a").write_text("mine")
    (project.remote / "a").write_text("theirs")
    done = project.run("touch", "ran")
    assert (done.returncode, done.stdout) == (255, b"")
    said = b"rdo: files have changed both here and on `devbox`: file <-?-> file a; run `unison "
    assert done.stderr.startswith(said)
    assert ((project.local / "a").read_text(), (project.remote / "a").read_text()) == ("mine", "theirs")
    assert not (project.remote / "ran").exists()
