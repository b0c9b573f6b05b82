"""Tests for `rdoctl stop --now`, which ends running commands, and kills a master that does not reply."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.masters import suspend
from tests.e2e.project import TIMEOUT, Project, local_project
from tests.e2e.stopped import begin, pids, runtime_directory, status, targets
from tests.leaks import wait_until
from tests.processes import listed_processes


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project that needs no server."""
    return local_project(tmp_path, runtime)


def test_an_ending_connection_is_shown_and_can_still_be_told_to_end_now(project: Project) -> None:
    with begin(project) as command:
        project.shell("rdoctl stop")
        assert project.run("true").returncode == 0
        shown = sorted(targets(project), key=lambda target: len(target["running"]))
        assert [(len(target["running"]), target["ending"]) for target in shown] == [(0, False), (1, True)]
        assert b" 1 (ending) " in project.shell("rdoctl status").stdout
        assert b"`local` closes after 1 running command\n" in project.shell("rdoctl stop").stdout
        assert project.shell("rdoctl stop --now").returncode == 0
        assert command.wait(TIMEOUT) != 0
        command.communicate()
    assert wait_until(lambda: targets(project) == [], TIMEOUT)


def test_an_ending_connection_and_its_replacement_have_the_same_name(project: Project) -> None:
    with begin(project) as command:
        project.shell("rdoctl stop")
        assert project.run("true").returncode == 0
        assert project.shell("rdoctl stop").stdout == b"`local` closes after 1 running command\n"
        assert project.run("true").returncode == 0
        assert project.shell("rdoctl stop --now").stdout == b"closed `local`\n"
        command.communicate()
        assert project.run("true").returncode == 0
    with begin(project) as command:
        project.shell("rdoctl stop")
        assert project.run("true").returncode == 0
        assert project.shell("rdoctl stop --all --now").stdout == b"closed `local`\nstopped the control master\n"
        command.communicate()


def test_an_ending_master_is_shown_and_can_still_be_told_to_end_now(project: Project) -> None:
    with begin(project) as command:
        (old,) = pids(project)
        project.shell("rdoctl stop --all")
        assert project.run("true").returncode == 0
        shown = {master["pid"]: master for master in status(project)}
        assert len(shown) == 2
        assert (shown[old]["ending"], len(shown[old]["running"])) == (True, 1)
        assert project.shell("rdoctl stop --all --now").returncode == 0
        assert command.wait(TIMEOUT) != 0
        command.communicate()
    assert wait_until(lambda: pids(project) == [], TIMEOUT)
    assert os.listdir(runtime_directory(project)) == ["control.log"]


def test_now_ends_running_commands_too(project: Project) -> None:
    with begin(project) as command:
        assert project.shell("rdoctl stop --now").stdout == b"closed `local`\n"
        assert command.wait(TIMEOUT) != 0
        command.communicate()
    assert targets(project) == []


@pytest.mark.parametrize("option", ["--now", "--all"])
def test_a_wedged_master_is_killed_on_request(project: Project, option: str) -> None:
    project.run("true")
    (before,) = pids(project)
    suspend(before)
    result = project.shell("rdoctl stop")
    assert result.returncode == 255
    assert result.stderr.endswith(b" does not respond; use `rdoctl stop --now`\n")
    assert project.shell(f"rdoctl stop {option}").stdout.startswith(b"killed the control master at ")
    assert wait_until(lambda: before not in listed_processes(), TIMEOUT)
    assert project.run("true").returncode == 0


@pytest.mark.serial
def test_several_slow_connections_are_closed_in_parallel(project: Project) -> None:
    stubborn = "trap '' HUP TERM; echo ready; sleep 60 & wait; wait; wait"
    began: list[subprocess.Popen[bytes]] = []

    def seconds(numbers: Iterable[int]) -> float:
        for number in numbers:
            caller = replace(project, environment={**project.environment, "ANOTHER": str(number)})
            began.append(caller.start("sh", "-c", stubborn))
            assert began[-1].stdout
            assert began[-1].stdout.readline() == b"ready\n"
        started = time.monotonic()
        assert project.shell("rdoctl stop --now").stdout == b"closed `local`\n"
        return time.monotonic() - started

    try:
        alone = seconds(range(1))
        assert seconds(range(5)) < 3 * alone
    finally:
        for command in began:
            command.communicate(timeout=TIMEOUT)


def test_a_command_that_is_ended_now_reports_the_reason(project: Project) -> None:
    with begin(project) as command:
        assert project.shell("rdoctl stop --now").returncode == 0
        _, said = command.communicate(timeout=TIMEOUT)
        assert (command.returncode, said) == (255, b"rdo: the command was ended: by `rdoctl stop --now`\n")


@pytest.mark.parametrize("option", ["--now", "local --now", "--all --now"])
@pytest.mark.parametrize("size", [1, 300, 200_000])
def test_it_reports_the_reason_when_its_output_is_read_again(project: Project, option: str, size: int) -> None:
    endless = f"echo ready; exec tr '\\0' x </dev/zero | dd bs={size} iflag=fullblock 2>/dev/null"
    with project.start("sh", "-c", endless) as command:
        assert command.stdout
        assert os.read(command.stdout.fileno(), 6) == b"ready\n"
        time.sleep(0.5)  # until all buffers on the way are full
        assert project.shell(f"rdoctl stop {option}").returncode == 0
        _, said = command.communicate(timeout=TIMEOUT)
        assert (command.returncode, said) == (255, b"rdo: the command was ended: by `rdoctl stop --now`\n")
