"""Tests for a server's key that is unknown, changed, revoked, or among unusual lines: the result of a command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.project import Project, ssh_project
from tests.keys import make_key
from tests.sshd import Sshd

Case = tuple[Project, Path, Sshd]


@pytest.fixture
def case(tmp_path: Path, runtime: dict[str, str], own_sshd: Callable[..., Sshd]) -> Case:
    """A project, its known_hosts file (not created yet), and the server."""
    server = own_sshd().start()
    project = ssh_project(tmp_path, runtime, server)
    known = tmp_path / "known"
    server.ssh_config(extra=[f"UserKnownHostsFile {known}", "StrictHostKeyChecking accept-new", "HashKnownHosts no"])
    return project, known, server


def public(key: Path) -> str:
    return " ".join(key.with_name(f"{key.name}.pub").read_text().split()[:2])


def refused(project: Project, server: Sshd, words: str) -> None:
    """Check that the command is refused in one line, before any login."""
    result = project.run("touch", "made")
    assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (255, b"", 1)
    assert words in result.stderr.decode()
    assert "Accepted" not in server.log
    assert "Postponed" not in server.log
    assert not (project.remote / "made").exists()


def test_an_unknown_key_is_recorded_and_known_from_then_on(case: Case) -> None:
    project, known, server = case
    name = f"[127.0.0.1]:{server.port}"
    result = project.run("echo", "x")
    assert (result.returncode, result.stdout) == (0, b"x\n")
    assert f"permanently added '{name}'".encode() in result.stderr
    assert known.read_text() == f"{name} {public(server.host_keys[0])}\n"
    project.shell("rdoctl stop")
    assert project.run("echo", "x").stderr == b""


def test_an_unknown_key_without_a_terminal_is_255_before_the_login(case: Case, tmp_path: Path) -> None:
    project, known, server = case
    server.ssh_config(extra=[f"UserKnownHostsFile {known}", "StrictHostKeyChecking ask"])
    refused(project, server, "there is no terminal to ask on; run this once in a terminal, and verify it")
    assert not known.exists()


def test_a_changed_key_is_255_before_the_login(case: Case, tmp_path: Path) -> None:
    project, known, server = case
    before = f"[127.0.0.1]:{server.port} {public(make_key(tmp_path / 'other'))}\n"
    known.write_text(before)
    refused(project, server, "has changed")
    assert known.read_text() == before


def test_a_revoked_key_is_255_before_the_login(case: Case) -> None:
    project, known, server = case
    key = public(server.host_keys[0])
    known.write_text(f"[127.0.0.1]:{server.port} {key}\n@revoked * {key}\n")
    refused(project, server, "is revoked")


def test_an_authority_and_invalid_lines_in_the_file_are_ignored(case: Case, tmp_path: Path) -> None:
    project, known, server = case
    authority = public(make_key(tmp_path / "ca"))
    own = f"[127.0.0.1]:{server.port} {public(server.host_keys[0])}"
    known.write_bytes(f"@cert-authority * {authority}\n{own}\n".encode() + b"\xff\xfe nonsense\n@marker\n|1|x|y z\n")
    result = project.run("echo", "x")
    assert (result.stdout, result.stderr) == (b"x\n", b"")
