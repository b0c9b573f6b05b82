"""`rdoctl status`: the masters that run, as people and programs see them."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from rdo import __version__
from tests.e2e.project import Project, local_project


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project that needs no server."""
    return local_project(tmp_path, runtime)


def status(project: Project) -> list[dict[str, Any]]:
    """What `rdoctl status --json` says."""
    result = project.shell("rdoctl status --json")
    assert (result.returncode, result.stderr) == (0, b"")
    masters: list[dict[str, Any]] = json.loads(result.stdout)
    return masters


def test_without_masters_it_says_so(project: Project) -> None:
    result = project.shell("rdoctl status")
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout == b"no control master is running; the next `rdo` starts one\n"
    assert status(project) == []


def test_a_master_is_shown_with_target_profile_times_and_memory(project: Project) -> None:
    project.run("true")
    (master,) = status(project)
    assert master["config"] == str(project.local / ".rdo.conf")
    assert (master["target"], master["driver"], master["profile"]) == ("local", "local", "default")
    assert (master["answers"], master["ending"], master["running"]) == (True, False, [])
    assert 0 <= master["age"] < 60
    assert 3500 < master["idle_left"] <= 3600
    assert 4 * 2**20 < master["memory"] < 64 * 2**20
    headings, row = project.shell("rdoctl status").stdout.decode().splitlines()
    assert headings.split() == ["TARGET", "PROFILE", "PID", "AGE", "RUNNING", "IDLE", "LEFT", "MEMORY", "CONFIG"]
    assert row.split()[:3] == ["local", "default", str(master["pid"])]
    assert row.index(str(project.local)) == headings.index("CONFIG")


def test_a_running_command_is_shown_and_stops_the_idle_clock(project: Project) -> None:
    with project.start("sh", "-c", "echo ready; cat") as command:
        assert command.stdout is not None
        assert command.stdout.readline() == b"ready\n"
        (master,) = status(project)
        assert master["running"] == ["sh -c echo ready; cat"]
        assert master["idle_left"] is None
        command.communicate()
    assert status(project)[0]["running"] == []


def test_the_masters_of_all_profiles_and_projects_are_shown(project: Project, runtime: dict[str, str]) -> None:
    other = local_project(project.local.parent / "other", runtime, "[more]\n")
    for run in (project.run("true"), other.run("true"), other.run("-p", "more", "true")):
        assert run.returncode == 0
    shown = {(master["config"], master["profile"]) for master in status(project)}
    assert shown == {
        (str(project.local / ".rdo.conf"), "default"),
        (str(other.local / ".rdo.conf"), "default"),
        (str(other.local / ".rdo.conf"), "more"),
    }


def test_a_wedged_master_is_shown_with_its_pid_after_a_bounded_wait(project: Project) -> None:
    project.run("true")
    (master,) = status(project)
    os.kill(master["pid"], signal.SIGSTOP)
    try:
        (wedged,) = status(project)
        row = project.shell("rdoctl status").stdout.decode().splitlines()[1]
    finally:
        os.kill(master["pid"], signal.SIGCONT)
    assert (wedged["answers"], wedged["pid"], wedged["target"]) == (False, master["pid"], None)
    assert row.startswith("does not answer")
    assert str(master["pid"]) in row


def test_a_socket_that_nobody_listens_at_is_passed_over(project: Project, runtime: dict[str, str]) -> None:
    directory = Path(runtime["XDG_RUNTIME_DIR"], "rdo")
    directory.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(directory / "0123456789abcdef"))
    assert status(project) == []


def test_the_help_lists_every_command_and_fits_a_terminal(project: Project) -> None:
    text = project.shell("rdoctl --help").stdout.decode()
    for name in ("init", "status", "stop", "explain", "doctor", "allow", "deny", "ide", "completion"):
        assert f"\n  {name} " in text
    assert max(map(len, text.splitlines())) <= 80
    assert project.shell("rdoctl --version").stdout.decode() == f"rdoctl {__version__}\n"


@pytest.mark.parametrize("words", ["nonsense", "status --nonsense", "stop --all -p x", "completion tcsh", "completion"])
def test_a_wrong_command_line_is_status_2_without_a_traceback(project: Project, words: str) -> None:
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


def test_a_reader_that_goes_away_is_no_traceback(project: Project) -> None:
    assert project.shell("rdoctl status | true; rdoctl --help | true; rdoctl completion bash | true").stderr == b""
