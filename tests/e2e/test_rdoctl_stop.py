"""Tests for `rdoctl stop`, which ends masters after their commands."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
from pathlib import Path

import pytest

from tests.e2e.project import TIMEOUT, Project, local_project
from tests.e2e.stopped import begin, pids, runtime_directory, targets
from tests.leaks import wait_until
from tests.processes import listed_processes


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project that needs no server, with two profiles."""
    return local_project(tmp_path, runtime, "[more]\n")


def test_with_nothing_to_stop_it_reports_that(project: Project) -> None:
    result = project.shell("rdoctl stop && rdoctl stop --all")
    assert (result.returncode, result.stdout) == (0, b"nothing to stop\nnothing to stop\n")


def test_it_closes_the_connections_of_this_project_and_waits_for_that(project: Project) -> None:
    project.run("true")
    (before,) = pids(project)
    result = project.shell("cd src && rdoctl stop")
    assert (result.returncode, result.stdout) == (0, b"closed `local`\n")
    assert targets(project) == []
    assert pids(project) == [before], "the master goes on, and is there for the next command"
    assert shells_of(before) == []


def shells_of(master: int) -> list[str]:
    """The shells that the master runs on this machine."""
    return [process.command for process in listed_processes().values() if process.parent == master]


def test_a_target_is_closed_by_its_name(project: Project, runtime: dict[str, str]) -> None:
    project.run("true")
    assert project.shell("cd / && rdoctl stop local").stdout == b"closed `local`\n"
    wrong = project.shell("rdoctl stop locl")
    assert (wrong.returncode, wrong.stderr) == (255, b"rdoctl: there is no connection to `locl`; see `rdoctl status`\n")
    project.run("true")
    assert project.shell("rdoctl stop locl").stderr.endswith(b"; did you mean `local`?\n")


@pytest.mark.parametrize("words", ["stop", "forward add 3000", "forward remove 3000", "shim add ls"])
def test_an_unknown_profile_is_reported(project: Project, words: str) -> None:
    project.run("true")
    result = project.shell(f"rdoctl {words} -p mroe")
    line = f"rdoctl: {project.local / '.rdo.conf'}: no profile `mroe`; did you mean `more`? the profiles are "
    assert (result.returncode, result.stdout) == (255, b"")
    assert result.stderr.decode().startswith(line)


def test_a_profile_without_a_connection_closes_nothing(project: Project) -> None:
    project.run("true")
    assert project.shell("rdoctl stop -p more").stdout == b"nothing to stop\n"
    project.run("-p", "more", "true")
    assert project.shell("rdoctl stop -p more").stdout == b"closed `local`\n"
    assert targets(project) == []


def test_another_projects_connection_is_kept_unless_all_are_stopped(project: Project, runtime: dict[str, str]) -> None:
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
        output, _ = command.communicate(b"done\n", TIMEOUT)
    assert (output, command.returncode) == (b"done\n", 0)
    assert wait_until(lambda: [target["ending"] for target in targets(project)] == [False], TIMEOUT)


def test_a_running_command_goes_on_to_its_end_and_then_the_master_ends(project: Project) -> None:
    with begin(project) as command:
        (before,) = pids(project)
        assert project.shell("rdoctl stop --all").stdout == b"the control master ends after 1 running command\n"
        assert project.run("true").returncode == 0
        assert pids(project) != [before]
        output, _ = command.communicate(b"done\n", TIMEOUT)
    assert (output, command.returncode) == (b"done\n", 0)
    assert wait_until(lambda: before not in listed_processes(), TIMEOUT)


def test_files_of_a_master_that_was_killed_while_ending_are_removed(project: Project) -> None:
    with begin(project) as command:
        (old,) = pids(project)
        project.shell("rdoctl stop --all")
        os.kill(old, signal.SIGKILL)
        command.communicate()
    assert [name for name in os.listdir(runtime_directory(project)) if re.fullmatch(r"control\.[0-9a-f]{6}", name)]
    assert pids(project) == []
    assert os.listdir(runtime_directory(project)) == ["control.log"]


def test_masters_that_are_gone_leave_only_their_log(project: Project) -> None:
    project.run("true")
    os.kill(pids(project)[0], signal.SIGKILL)
    assert project.shell("rdoctl stop --all").returncode == 0
    assert wait_until(lambda: os.listdir(runtime_directory(project)) == ["control.log"], TIMEOUT)


def test_connections_without_a_request_do_not_delay_a_master(project: Project) -> None:
    project.run("true")
    (path,) = (name for name in Path(runtime_directory(project)).iterdir() if name.is_socket())
    with contextlib.ExitStack() as silent:
        for _ in range(100):
            silent.enter_context(socket.socket(socket.AF_UNIX)).connect(str(path))
        assert project.shell("rdoctl stop").stdout == b"closed `local`\n"


def test_an_invalid_config_file_does_not_keep_its_connections_open(project: Project) -> None:
    project.run("true")
    project.configure("driver = \n")
    assert project.shell("rdoctl stop").stdout == b"closed `local`\n"


def test_an_empty_name_matches_nothing(project: Project) -> None:
    """As from a variable that is not set."""
    project.run("true")
    result = project.shell('rdoctl stop "$UNSET"')
    assert (result.returncode, result.stdout) == (255, b"")
    assert result.stderr == b"rdoctl: there is no connection to `''`; see `rdoctl status`\n"
