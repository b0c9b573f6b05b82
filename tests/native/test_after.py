"""Tests for what the native client leaves to Python after its command has ended, or was not started."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdo.ipc.protocol import frame
from tests.e2e.project import Project, local_project
from tests.native.clients import Caller, both
from tests.native.test_hostile_master import ACCEPTED, STARTED, alike, plays

UNREACHABLE = frame(b"F", b"no `x`\0refused\0start it\0unreachable")


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project whose tools may run here instead, with `tool` in PATH."""
    tool = tmp_path / "bin" / "tool"
    tool.parent.mkdir()
    tool.write_text('#!/bin/sh\nprintf "<%s>" "$@" "$RDO_INSIDE" "$PWD"\nexit 9\n')
    tool.chmod(0o755)
    path = f"{tool.parent}:{runtime['PATH']}"
    return local_project(tmp_path, {**runtime, "PATH": path}, "local_fallback = true\n")


@pytest.mark.parametrize("words", [
    ["--fallback", "tool", "a b", ""], ["--fallback", "-C", "src", "tool"], ["--fallback", "nosuch"], ["tool"],
    ["--fallback", "-c", "tool"], ["--fallback", "-e", "A=1", "tool", "--fallback"],
])  # fmt: skip
def test_without_a_connection_both_clients_run_the_local_tool(project: Project, words: list[str]) -> None:
    for start in (b"", ACCEPTED):
        alike(both(Caller(words, str(project.local), project.environment), plays(start + UNREACHABLE)))


def test_nothing_runs_here_if_the_command_may_have_been_started(project: Project) -> None:
    caller = Caller(["--fallback", "tool"], str(project.local), project.environment)
    assert alike(both(caller, plays(ACCEPTED + STARTED + UNREACHABLE))).status == 255


@pytest.mark.parametrize("failure", [b"\xc3\xa9 \xff\0\x1b[m\0  ", b"x" * 2000, "\u202e\u4e2d".encode()])
def test_both_clients_show_an_error_with_special_characters_alike(project: Project, failure: bytes) -> None:
    for name in ("C.UTF-8", "en_US.ISO-8859-1", ""):
        env = {**project.environment, "LANG": name}
        alike(both(Caller(["x"], str(project.local), env), plays(ACCEPTED + frame(b"F", failure))))
