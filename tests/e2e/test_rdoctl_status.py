"""Tests for `rdoctl status`: the running masters, for people and programs."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from rdo import __version__
from tests.e2e.masters import suspend
from tests.e2e.project import Project, local_project


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project that needs no server."""
    return local_project(tmp_path, runtime)


def status(project: Project) -> list[dict[str, Any]]:
    """The output of `rdoctl status --json`."""
    result = project.shell("rdoctl status --json")
    assert (result.returncode, result.stderr) == (0, b"")
    masters: list[dict[str, Any]] = json.loads(result.stdout)
    return masters


def test_without_connections_it_reports_that(project: Project) -> None:
    result = project.shell("rdoctl status")
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout == b"no connection is open; the next `rdo` opens one\n"
    assert status(project) == []


def test_a_target_is_shown_with_profiles_and_times_and_its_master_with_memory(project: Project) -> None:
    project.run("true")
    (master,) = status(project)
    (target,) = master["targets"]
    config = str(project.local / ".rdo.conf")
    assert target["profiles"] == [{"config": config, "profile": "default"}]
    assert (target["name"], target["driver"], target["connections"]) == ("local", "local", 1)
    assert (master["answers"], master["ending"], master["running"], target["running"]) == (True, False, [], [])
    assert 0 <= target["age"] < master["age"] < 60
    assert 3500 < target["idle_left"] <= 3600
    assert 4 * 2**20 < master["memory"] < 64 * 2**20
    headings, row, last = project.shell("cd / && rdoctl status").stdout.decode().splitlines()
    assert headings.split("  ")[0] == "TARGET"
    assert row.split()[:3] == ["local", "default", "1"]
    assert row.index(config) == headings.index("PROJECTS")
    assert last.startswith(f"control master: process {master['pid']}, ")


def test_a_running_command_is_shown_and_stops_the_idle_clock(project: Project) -> None:
    with project.start("sh", "-c", "echo ready; cat") as command:
        assert command.stdout is not None
        assert command.stdout.readline() == b"ready\n"
        (master,) = status(project)
        (target,) = master["targets"]
        assert target["running"] == master["running"] == ["sh -c echo ready; cat"]
        assert target["idle_left"] is None
        command.communicate()
    assert status(project)[0]["targets"][0]["running"] == []


def test_profiles_that_share_a_target_share_its_line(project: Project, runtime: dict[str, str]) -> None:
    other = local_project(project.local.parent / "other", runtime, "[more]\n")
    for run in (project.run("true"), other.run("true"), other.run("-p", "more", "true")):
        assert run.returncode == 0
    ((one, both),) = ([target["profiles"] for target in master["targets"]] for master in status(project))
    assert [tuple(each.values()) for each in one] == [(str(project.local / ".rdo.conf"), "default")]
    config = str(other.local / ".rdo.conf")
    assert [tuple(each.values()) for each in both] == [(config, "default"), (config, "more")]
    assert b" default,more " in project.shell("rdoctl status").stdout


def test_a_wedged_master_is_shown_with_its_pid_after_a_bounded_wait(project: Project) -> None:
    project.run("true")
    (master,) = status(project)
    suspend(master["pid"])
    try:
        (wedged,) = status(project)
        line = project.shell("rdoctl status").stdout.decode()
    finally:
        os.kill(master["pid"], signal.SIGCONT)
    assert (wedged["answers"], wedged["pid"], wedged["targets"]) == (False, master["pid"], [])
    assert line.startswith("the control master at ")
    assert line.endswith(f" (process {master['pid']}) does not answer; `rdoctl stop --all` ends it\n")


def test_a_socket_without_a_listener_is_skipped(project: Project, runtime: dict[str, str]) -> None:
    directory = Path(runtime["XDG_RUNTIME_DIR"], "rdo")
    directory.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(directory / "control"))
    assert status(project) == []


def test_the_help_lists_every_command_and_fits_a_terminal(project: Project) -> None:
    text = project.shell("rdoctl --help").stdout.decode()
    for name in ("init", "status", "stop", "explain", "doctor", "allow", "deny", "ide", "completion"):
        assert f"\n  {name} " in text
    assert max(map(len, text.splitlines())) <= 80
    assert project.shell("rdoctl --version").stdout.decode() == f"rdoctl {__version__}\n"


@pytest.mark.parametrize("words", ["nonsense", "status --nonsense", "stop --all -p x", "completion tcsh", "completion"])
def test_a_usage_error_is_status_2_without_a_traceback(project: Project, words: str) -> None:
    result = project.shell(f"rdoctl {words}")
    assert (result.returncode, result.stdout) == (2, b"")
    assert b"Traceback" not in result.stderr


def test_a_failure_is_one_line_and_status_255(project: Project, runtime: dict[str, str]) -> None:
    Path(runtime["XDG_RUNTIME_DIR"], "rdo").mkdir(mode=0o755)
    os.chmod(Path(runtime["XDG_RUNTIME_DIR"], "rdo"), 0o755)
    result = project.shell("rdoctl status")
    assert (result.returncode, result.stdout) == (255, b"")
    assert result.stderr.startswith(b"rdoctl: the runtime directory ")
    assert result.stderr.count(b"\n") == 1


def test_a_reader_that_closes_causes_no_traceback(project: Project) -> None:
    assert project.shell("rdoctl status | true; rdoctl --help | true; rdoctl completion bash | true").stderr == b""


@pytest.mark.parametrize(
    ("line", "status", "complaint"),
    [
        ("rdoctl status >&-", 0, b""),
        ("rdoctl status <&- >&- 2>&-", 0, b""),
        ("rdoctl status >/dev/full", 255, b"rdoctl: cannot write to stdout: no space left on device\n"),
        ("rdoctl log >/dev/full", 255, b"rdoctl: cannot write to stdout: no space left on device\n"),
    ],
)
def test_output_that_cannot_be_written_is_one_line_at_most(
    project: Project, line: str, status: int, complaint: bytes
) -> None:
    project.run("true")
    result = project.shell(line)
    assert (result.returncode, result.stderr) == (status, complaint)
