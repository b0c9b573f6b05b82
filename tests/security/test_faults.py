"""Tests for unexpected errors in the control master: one line, no retry, no second question, and the master
continues.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from rdo.util.log import LIMIT
from tests.e2e.masters import END_TIMEOUT, masters, report
from tests.e2e.project import Project, local_project
from tests.e2e.reached import sleepers, token
from tests.e2e.terminal import Terminal
from tests.leaks import Leaks, wait_until
from tests.processes import listed_processes
from tests.security.faulty_master import FaultyMaster, faulty_master

PLACES = [
    ("LocalDriver.roots", 0),
    ("LocalTarget.options", 0),
    ("LocalTarget.connect", 0),
    ("LocalConnection.open_channel", 0),
    ("LocalConnection.open_channel", 1),
    ("LocalChannel.write", 0),
    ("LocalChannel.write", 1),
    ("LocalChannel.read", 0),
    ("LocalChannel.read", 2),
    ("LocalChannel.read", 3),
    ("LocalChannel.exit_status", 0),
]

NO_THREAD = (
    "rdo: the control master cannot start a thread: the limit on processes or memory has been reached; "
    "see `ulimit -a`\n"
)

KINDS = ["MemoryError", "RecursionError", "SystemExit", "RuntimeError"]


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project that needs no server."""
    return local_project(tmp_path, runtime)


def line_for(master: FaultyMaster, what: str) -> str:
    return f"rdo: internal error in the control master: {what}; this is a bug in rdo; see `{master.log}`\n"


def works_again(project: Project, master: FaultyMaster) -> None:
    """Check that the next command is served by the same master, without anything left from the one before."""
    master.disable_fault()
    assert project.run("echo", "x").stdout == b"x\n"
    assert wait_until(lambda: report(project)["running"] == [], END_TIMEOUT)  # its processes were given time to end
    assert report(project)["pid"] == master.pid


@pytest.mark.parametrize(("place", "after", "kind"), [
    *((*place, "ValueError") for place in PLACES),
    *(("LocalConnection.open_channel", 1, kind) for kind in KINDS),
    ("LocalChannel.read", 3, "MemoryError"),
])  # fmt: skip
def test_a_fault_is_one_line_and_nothing_is_tried_again(
    project: Project, tmp_path: Path, place: str, after: int, kind: str
) -> None:
    with faulty_master(project, tmp_path, place, kind, after) as master:
        result = project.run("sh", "-c", "read line; echo $line", input=b"hello\n")
        if result.returncode:  # otherwise, the fault was in opening the lifeline, and the command was first
            assert result.returncode == 255
            assert re.fullmatch(line_for(master, "@").replace("@", f"{kind}(: [a-z0-9' ]+)?"), result.stderr.decode())
        else:
            assert (result.stdout, result.stderr) == (b"hello\n", b"")
        assert wait_until(lambda: kind in master.log.read_text(), END_TIMEOUT)
        if place == "LocalTarget.connect":
            assert master.calls == 1
        works_again(project, master)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_shell_with_a_fault_is_not_left_behind(project: Project, tmp_path: Path, after: int) -> None:
    with faulty_master(project, tmp_path, "LocalChannel.read", "ValueError", after) as master:
        for _ in range(3):
            project.run("true")
        assert wait_until(lambda: not Leaks._descendants(listed_processes(), {master.pid}), END_TIMEOUT)
        works_again(project, master)


def test_a_fault_just_after_the_start_of_a_command_ends_it(project: Project, tmp_path: Path) -> None:
    mark = token()
    with faulty_master(project, tmp_path, "rdo.pool.shell_pool.ShellPool.prepare", "ValueError") as master:
        result = project.run("sleep", mark)
        assert (result.returncode, result.stderr.decode()) == (255, line_for(master, "ValueError: planted"))
        assert wait_until(lambda: not sleepers(mark), END_TIMEOUT)
        works_again(project, master)


def test_after_a_fault_during_the_login_the_password_is_not_asked_for_again(project: Project, tmp_path: Path) -> None:
    with faulty_master(project, tmp_path, "LocalTarget.connect", "ValueError") as master:
        with Terminal(project.command("true"), project.local, project.environment) as terminal:  # type: ignore[arg-type]
            terminal.expect("password: ")
            terminal.line("secret")
            assert "password" not in terminal.expect(f"see `{master.log}`")
        assert "secret" not in master.log.read_text()
        works_again(project, master)


def test_a_fault_is_reported_to_all_parallel_commands_after_one_attempt(project: Project, tmp_path: Path) -> None:
    with faulty_master(project, tmp_path, "LocalTarget.connect", "ValueError") as master:
        with Terminal(project.command("true"), project.local, project.environment) as terminal:  # type: ignore[arg-type]
            terminal.expect("password: ")
            others = [project.start("true") for _ in range(4)]
            assert wait_until(lambda: master.waiting == 4, END_TIMEOUT)
            terminal.line("secret")
            for other in others:
                assert other.communicate()[1].decode() == line_for(master, "ValueError: planted")
                assert other.returncode == 255
        assert master.calls == 1
        works_again(project, master)


def test_the_log_of_faults_is_bounded(project: Project, tmp_path: Path) -> None:
    with faulty_master(project, tmp_path, "LocalDriver.roots", "ValueError") as master:
        project.run("true")
        os.truncate(master.log, LIMIT)
        project.run("true")
        assert 0 < master.log.stat().st_size < LIMIT
        assert "ValueError: planted" in master.log.read_text()


@pytest.mark.parametrize("name", ["session", "lifeline", "output", "input", "maintenance", "progress"])
def test_a_thread_that_cannot_be_started_is_not_counted(project: Project, tmp_path: Path, name: str) -> None:
    with faulty_master(project, tmp_path, f"Thread.{name}", "RuntimeError", 1 if name == "session" else 0) as master:
        for _ in range(3):
            result = project.run("sh", "-c", "read line; echo $line", input=b"hello\n")
            if result.returncode:
                assert (result.returncode, result.stderr.decode()) == (255, NO_THREAD)
            else:
                assert (result.stdout, result.stderr) == (b"hello\n", b"")
            assert report(project)["pid"] == master.pid
        works_again(project, master)
        assert project.shell("rdoctl stop --all").stdout.endswith(b"stopped the control master\n")
        assert wait_until(lambda: not masters(project), END_TIMEOUT)


def test_if_no_thread_can_be_started_the_master_can_still_be_listed_and_stopped(
    project: Project, tmp_path: Path
) -> None:
    with faulty_master(project, tmp_path, "Thread.session", "RuntimeError", 1) as master:
        with project.start("true") as refused:
            assert refused.communicate()[1].decode() == NO_THREAD
        assert report(project)["pid"] == master.pid
        assert project.shell("rdoctl stop --all --now").stdout.endswith(b"stopped the control master\n")
        assert wait_until(lambda: not masters(project), END_TIMEOUT)
