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
from pathlib import Path

import pytest

from tests.e2e.project import PATIENCE, Project, local_project
from tests.leaks import listed_processes, wait_until

RUNNING = ("sh", "-c", "echo ready; read -r line; echo $line")


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project that needs no server, with two profiles."""
    return local_project(tmp_path, runtime, "[more]\n")


def pids(project: Project) -> list[int]:
    """Process ids of all masters that can be asked."""
    return [master["pid"] for master in json.loads(project.shell("rdoctl status --json").stdout)]


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


def test_it_stops_this_directories_masters_and_is_done_when_they_are_gone(project: Project) -> None:
    project.run("true")
    project.run("-p", "more", "true")
    before = pids(project)
    result = project.shell("cd src && rdoctl stop")
    assert result.returncode == 0
    config = project.local / ".rdo.conf"
    assert result.stdout.decode() == f"stopped `default` of {config}\nstopped `more` of {config}\n"
    assert not set(before) & listed_processes().keys()


def test_a_profile_is_stopped_alone(project: Project) -> None:
    project.run("true")
    project.run("-p", "more", "true")
    assert project.shell("rdoctl stop -p more").stdout.decode() == f"stopped `more` of {project.local / '.rdo.conf'}\n"
    assert len(pids(project)) == 1


def test_another_projects_master_goes_on_unless_all_are_meant(project: Project, runtime: dict[str, str]) -> None:
    other = local_project(project.local.parent / "other", runtime)
    other.run("true")
    assert project.shell("rdoctl stop").stdout == b"nothing to stop\n"
    assert len(pids(project)) == 1
    assert project.shell("cd / && rdoctl stop --all").stdout.startswith(b"stopped `default` of ")
    assert pids(project) == []


def test_a_running_command_goes_on_to_its_end_and_then_the_master_ends(project: Project) -> None:
    with begin(project) as command:
        (before,) = pids(project)
        result = project.shell("rdoctl stop")
        assert result.stdout.decode() == f"ends after 1 running command: `default` of {project.local / '.rdo.conf'}\n"
        assert project.run("true").returncode == 0
        assert pids(project) != [before]
        output, _ = command.communicate(b"done\n", PATIENCE)
    assert (output, command.returncode) == (b"done\n", 0)
    assert wait_until(lambda: before not in listed_processes(), PATIENCE)


def test_an_ending_master_is_shown_and_can_still_be_told_to_end_now(project: Project) -> None:
    with begin(project) as command:
        (old,) = pids(project)
        project.shell("rdoctl stop")
        assert project.run("true").returncode == 0
        shown = {master["pid"]: master for master in json.loads(project.shell("rdoctl status --json").stdout)}
        assert len(shown) == 2
        assert (shown[old]["ending"], len(shown[old]["running"])) == (True, 1)
        assert b" 1 (ending) " in project.shell("rdoctl status").stdout
        assert b"ends after 1 running command: " in project.shell("rdoctl stop").stdout
        assert project.shell("rdoctl stop --now").returncode == 0
        assert command.wait(PATIENCE) != 0
        command.communicate()
    assert wait_until(lambda: pids(project) == [], PATIENCE)
    assert not [name for name in os.listdir(runtime_directory(project)) if "." not in name or name.endswith(str(old))]


def test_what_an_ending_master_left_when_it_was_killed_is_cleared(project: Project) -> None:
    with begin(project) as command:
        (old,) = pids(project)
        project.shell("rdoctl stop")
        os.kill(old, signal.SIGKILL)
        command.communicate()
    assert [name for name in os.listdir(runtime_directory(project)) if re.fullmatch(r"\w{16}\.[0-9a-f]{6}", name)]
    assert pids(project) == []
    assert os.listdir(runtime_directory(project)) == []


def test_masters_that_are_gone_leave_nothing(project: Project) -> None:
    project.run("true")
    project.run("-p", "more", "true")
    os.kill(pids(project)[0], signal.SIGKILL)
    assert project.shell("rdoctl stop --all").returncode == 0
    assert wait_until(lambda: os.listdir(runtime_directory(project)) == [], PATIENCE)


def test_now_ends_running_commands_too(project: Project) -> None:
    with begin(project) as command:
        before = pids(project)
        assert project.shell("rdoctl stop --now").stdout.startswith(b"stopped ")
        assert command.wait(PATIENCE) != 0
        command.communicate()
    assert not set(before) & listed_processes().keys()


@pytest.mark.parametrize("option", ["--now", "--all"])
def test_a_wedged_master_is_killed_when_that_is_asked_for(project: Project, option: str) -> None:
    project.run("true")
    (before,) = pids(project)
    os.kill(before, signal.SIGSTOP)
    result = project.shell("rdoctl stop")
    assert result.returncode == 255
    assert result.stderr.endswith(b" does not respond; use `rdoctl stop --now`\n")
    assert project.shell(f"rdoctl stop {option}").stdout.startswith(b"killed the master at ")
    assert wait_until(lambda: before not in listed_processes(), PATIENCE)
    assert project.run("true").returncode == 0


@pytest.mark.serial
def test_several_masters_that_take_their_time_to_end_take_it_together(project: Project) -> None:
    names = [f"p{number}" for number in range(5)]
    with (project.local / ".rdo.conf").open("a") as file:
        file.write("".join(f"[{name}]\n" for name in names))
    stubborn = "trap '' HUP TERM; echo ready; sleep 60 & wait; wait; wait"
    began: list[subprocess.Popen[bytes]] = []

    def seconds(chosen: list[str]) -> float:
        for name in chosen:
            began.append(project.start("-p", name, "sh", "-c", stubborn))
            assert began[-1].stdout
            assert began[-1].stdout.readline() == b"ready\n"
        started = time.monotonic()
        assert project.shell("rdoctl stop --all --now").stdout.count(b"stopped ") == len(chosen)
        return time.monotonic() - started

    try:
        alone = seconds(names[:1])
        assert seconds(names) < 3 * alone
    finally:
        for command in began:
            command.communicate(timeout=PATIENCE)


def test_connections_that_ask_for_nothing_hold_no_master_up(project: Project) -> None:
    project.run("true")
    (path,) = (name for name in Path(runtime_directory(project)).iterdir() if name.is_socket())
    with contextlib.ExitStack() as silent:
        for _ in range(100):
            silent.enter_context(socket.socket(socket.AF_UNIX)).connect(str(path))
        assert project.shell("rdoctl stop").stdout.startswith(b"stopped `default`")


def test_a_config_file_with_a_fault_does_not_keep_its_masters_alive(project: Project) -> None:
    project.run("true")
    project.configure("driver = \n")
    assert project.shell("rdoctl stop").stdout.startswith(b"stopped `default`")


def test_a_command_that_is_ended_now_says_by_what(project: Project) -> None:
    with begin(project) as command:
        assert project.shell("rdoctl stop --now").returncode == 0
        _, said = command.communicate(timeout=PATIENCE)
        assert (command.returncode, said) == (255, b"rdo: the command was ended: by `rdoctl stop --now`\n")
