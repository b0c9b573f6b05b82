"""Tests for `rdoctl man`: the man pages, wherever rdo was installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.project import Project, local_project
from tests.e2e.terminal import Terminal


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project that needs no server."""
    return local_project(tmp_path, runtime)


@pytest.mark.parametrize("page", ["rdo", "rdoctl", "rdo-rsh"])
def test_in_a_pipe_a_page_is_plain_text(project: Project, page: str) -> None:
    done = project.shell(f"rdoctl man {page}")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(f"NAME\n       {page} - ".encode())
    assert b"\\f" not in done.stdout


def test_on_a_terminal_man_shows_it(project: Project, tmp_path: Path) -> None:
    (tmp_path / "fake").mkdir()
    program = tmp_path / "fake/man"
    program.write_text("#!/bin/sh\necho man was given ${1##*/}\n")
    program.chmod(0o755)
    environment = dict(project.environment)
    environment["PATH"] = f"{tmp_path}/fake:{project.environment['PATH']}"
    with Terminal(["rdoctl", "man"], project.local, environment) as terminal:
        terminal.expect("man was given rdo.1")
