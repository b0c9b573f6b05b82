"""`rdoctl stop`: ends masters, and lets their commands end first."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.masters import suspend
from tests.e2e.project import PATIENCE, Project, local_project
from tests.leaks import wait_until
from tests.processes import listed_processes

RUNNING = ("sh", "-c", "echo ready; read -r line; echo $line")


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project that needs no server, with two profiles."""
    return local_project(tmp_path, runtime, "[more]\n")


def pids(project: Project) -> list[int]:
    """Process ids of all masters that can be asked."""
    return [master["pid"] for master in status(project)]


def status(project: Project) -> list[dict[str, Any]]:
    """What `rdoctl status --json` prints."""
    masters: list[dict[str, Any]] = json.loads(project.shell("rdoctl status --json").stdout)
    return masters


def targets(project: Project) -> list[dict[str, Any]]:
    """The targets of all masters."""
    return [target for master in status(project) for target in master["targets"]]


def runtime_directory(project: Project) -> str:
    """Where the sockets are."""
    return os.path.join(project.environment["XDG_RUNTIME_DIR"], "rdo")


def begin(project: Project) -> subprocess.Popen[bytes]:
    """A command that waits for a line."""
    command = project.start(*RUNNING)
    assert command.stdout is not None
    assert command.stdout.readline() == b"ready\n"
    return command


def test_with_nothing_to_stop_it_says_so(project: Project) -> None:
    result = project.shell("rdoctl stop && rdoctl stop --all")
    assert (result.returncode, result.stdout) == (0, b"nothing to stop\nnothing to stop\n")


def test_it_closes_this_project_s_connections_and_is_done_when_they_are_closed(project: Project) -> None:
    project.run("true")
    (before,) = pids(project)
    result = project.shell("cd src && rdoctl stop")
    assert (result.returncode, result.stdout) == (0, b"closed `local`\n")
    assert targets(project) == []
    assert pids(project) == [before], "the master goes on, and is there for the next command"
    assert shells_of(before) == []


def shells_of(master: int) -> list[str]:
    """What the master runs on this machine."""
    return [process.command for process in listed_processes().values() if process.parent == master]


def test_a_target_is_closed_by_its_name(project: Project, runtime: dict[str, str]) -> None:
    project.run("true")
    assert project.shell("cd / && rdoctl stop local").stdout == b"closed `local`\n"
    wrong = project.shell("rdoctl stop locl")
    assert (wrong.returncode, wrong.stderr) == (255, b"rdoctl: there is no connection to `locl`; see `rdoctl status`\n")
    project.run("true")
    assert project.shell("rdoctl stop locl").stderr.endswith(b"; did you mean `local`?\n")


def test_a_profile_that_has_none_closes_nothing(project: Project) -> None:
    project.run("true")
    assert project.shell("rdoctl stop -p more").stdout == b"nothing to stop\n"
    project.run("-p", "more", "true")
    assert project.shell("rdoctl stop -p more").stdout == b"closed `local`\n"
    assert targets(project) == []


def test_another_project_s_connection_goes_on_unless_all_are_meant(project: Project, runtime: dict[str, str]) -> None:
    other = local_project(project.local.parent / "other", {**runtime, "ANOTHER": "environment"})
    other.run("true")
    assert project.shell("rdoctl stop").stdout == b"nothing to stop\n"
    assert len(targets(project)) == 1
    done = project.shell("cd / && rdoctl stop --all")
    assert done.stdout == b"closed `local`\nstopped the control master\n"
    assert pids(project) == []


def test_a_running_command_goes_on_to_its_end_and_then_its_connection_is_closed(project: Project) -> None:
    with begin(project) as command:
        assert project.shell("rdoctl stop").stdout == b"`local` closes after 1 running command\n"
        assert project.run("true").returncode == 0
        assert sorted(target["ending"] for target in targets(project)) == [False, True]
        output, _ = command.communicate(b"done\n", PATIENCE)
    assert (output, command.returncode) == (b"done\n", 0)
    assert wait_until(lambda: [target["ending"] for target in targets(project)] == [False], PATIENCE)


def test_a_running_command_goes_on_to_its_end_and_then_the_master_ends(project: Project) -> None:
    with begin(project) as command:
        (before,) = pids(project)
        assert project.shell("rdoctl stop --all").stdout == b"the control master ends after 1 running command\n"
        assert project.run("true").returncode == 0
        assert pids(project) != [before]
        output, _ = command.communicate(b"done\n", PATIENCE)
    assert (output, command.returncode) == (b"done\n", 0)
    assert wait_until(lambda: before not in listed_processes(), PATIENCE)


def test_an_ending_connection_is_shown_and_can_still_be_told_to_end_now(project: Project) -> None:
    with begin(project) as command:
        project.shell("rdoctl stop")
        assert project.run("true").returncode == 0
        shown = sorted(targets(project), key=lambda target: len(target["running"]))
        assert [(len(target["running"]), target["ending"]) for target in shown] == [(0, False), (1, True)]
        assert b" 1 (ending) " in project.shell("rdoctl status").stdout
        assert b"`local` closes after 1 running command\n" in project.shell("rdoctl stop").stdout
        assert project.shell("rdoctl stop --now").returncode == 0
        assert command.wait(PATIENCE) != 0
        command.communicate()
    assert wait_until(lambda: targets(project) == [], PATIENCE)


def test_a_connection_that_is_ending_and_the_one_in_its_place_are_one_by_name(project: Project) -> None:
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
        assert command.wait(PATIENCE) != 0
        command.communicate()
    assert wait_until(lambda: pids(project) == [], PATIENCE)
    assert os.listdir(runtime_directory(project)) == ["control.log"]


def test_what_an_ending_master_left_when_it_was_killed_is_cleared(project: Project) -> None:
    with begin(project) as command:
        (old,) = pids(project)
        project.shell("rdoctl stop --all")
        os.kill(old, signal.SIGKILL)
        command.communicate()
    assert [name for name in os.listdir(runtime_directory(project)) if re.fullmatch(r"control\.[0-9a-f]{6}", name)]
    assert pids(project) == []
    assert os.listdir(runtime_directory(project)) == ["control.log"]


def test_masters_that_are_gone_leave_nothing_but_their_log(project: Project) -> None:
    project.run("true")
    os.kill(pids(project)[0], signal.SIGKILL)
    assert project.shell("rdoctl stop --all").returncode == 0
    assert wait_until(lambda: os.listdir(runtime_directory(project)) == ["control.log"], PATIENCE)


def test_now_ends_running_commands_too(project: Project) -> None:
    with begin(project) as command:
        assert project.shell("rdoctl stop --now").stdout == b"closed `local`\n"
        assert command.wait(PATIENCE) != 0
        command.communicate()
    assert targets(project) == []


@pytest.mark.parametrize("option", ["--now", "--all"])
def test_a_wedged_master_is_killed_when_that_is_asked_for(project: Project, option: str) -> None:
    project.run("true")
    (before,) = pids(project)
    suspend(before)
    result = project.shell("rdoctl stop")
    assert result.returncode == 255
    assert result.stderr.endswith(b" does not respond; use `rdoctl stop --now`\n")
    assert project.shell(f"rdoctl stop {option}").stdout.startswith(b"killed the control master at ")
    assert wait_until(lambda: before not in listed_processes(), PATIENCE)
    assert project.run("true").returncode == 0


@pytest.mark.serial
def test_several_connections_that_take_their_time_to_close_take_it_together(project: Project) -> None:
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
            command.communicate(timeout=PATIENCE)


def test_connections_that_ask_for_nothing_hold_no_master_up(project: Project) -> None:
    project.run("true")
    (path,) = (name for name in Path(runtime_directory(project)).iterdir() if name.is_socket())
    with contextlib.ExitStack() as silent:
        for _ in range(100):
            silent.enter_context(socket.socket(socket.AF_UNIX)).connect(str(path))
        assert project.shell("rdoctl stop").stdout == b"closed `local`\n"


def test_a_config_file_with_a_fault_does_not_keep_its_connections_open(project: Project) -> None:
    project.run("true")
    project.configure("driver = \n")
    assert project.shell("rdoctl stop").stdout == b"closed `local`\n"


def test_a_command_that_is_ended_now_says_by_what(project: Project) -> None:
    with begin(project) as command:
        assert project.shell("rdoctl stop --now").returncode == 0
        _, said = command.communicate(timeout=PATIENCE)
        assert (command.returncode, said) == (255, b"rdo: the command was ended: by `rdoctl stop --now`\n")


@pytest.mark.parametrize("option", ["--now", "local --now", "--all --now"])
@pytest.mark.parametrize("size", [1, 300, 200_000])
def test_it_says_so_too_once_its_output_is_read_again(project: Project, option: str, size: int) -> None:
    endless = f"echo ready; exec tr '\\0' x </dev/zero | dd bs={size} iflag=fullblock 2>/dev/null"
    with project.start("sh", "-c", endless) as command:
        assert command.stdout
        assert os.read(command.stdout.fileno(), 6) == b"ready\n"
        time.sleep(0.5)  # until all is full on the way
        assert project.shell(f"rdoctl stop {option}").returncode == 0
        _, said = command.communicate(timeout=PATIENCE)
        assert (command.returncode, said) == (255, b"rdo: the command was ended: by `rdoctl stop --now`\n")


def test_an_empty_name_is_nobody_s(project: Project) -> None:
    """As of a variable that is not set."""
    project.run("true")
    result = project.shell('rdoctl stop "$UNSET"')
    assert (result.returncode, result.stdout) == (255, b"")
    assert result.stderr == b"rdoctl: there is no connection to ``; see `rdoctl status`\n"
