"""Tests with many concurrent commands: all succeed, whatever the server allows for a connection."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.masters import logins
from tests.e2e.project import TIMEOUT, Project, Started, ssh_project
from tests.soak import tries
from tests.sshd import Sshd

DEFAULT_STARTUPS = "MaxStartups 10:30:100"
"""The default of sshd. The tests' servers allow more."""

OwnSshd = Callable[..., Sshd]


@pytest.mark.soak
def test_many_commands_eight_at_a_time_all_succeed(project: Project) -> None:
    count = tries(60, 600)
    result = project.shell(f"rdo true; seq {count} | xargs -P 8 -I{{}} rdo echo {{}} | sort -n | uniq | wc -l")
    assert (result.stdout.strip(), result.stderr) == (b"%d" % count, b"")


WAIT = "echo up; while [ ! -e go ]; do sleep 0.2; done; echo $1"


def start_all(project: Project, count: int, *words: str) -> list[Started]:
    """Start this many commands, and wait until each has reported that it runs."""
    running = [project.start("sh", "-c", *words, str(number)) for number in range(count)]
    for process in running:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
    return running


@pytest.mark.soak
@pytest.mark.parametrize(("allowed", "count"), [(10, 12), (10, tries(30, 64)), (1, 3), (2, 5)])
def test_more_commands_than_a_connection_may_carry_all_succeed_silently(
    tmp_path: Path, runtime: dict[str, str], own_sshd: OwnSshd, allowed: int, count: int
) -> None:
    server = own_sshd(f"MaxSessions {allowed}", DEFAULT_STARTUPS).start()
    project = ssh_project(tmp_path, runtime, server)
    running = start_all(project, count, WAIT, "sh")
    (project.remote / "go").touch()
    assert [process.communicate() for process in running] == [(b"%d\n" % number, b"") for number in range(count)]
    assert [process.returncode for process in running] == [0] * count


@pytest.mark.parametrize("allowed", [1, 2])
def test_one_command_after_the_other_needs_one_login_whatever_the_server_allows(
    tmp_path: Path, runtime: dict[str, str], own_sshd: OwnSshd, allowed: int
) -> None:
    server = own_sshd(f"MaxSessions {allowed}").start()
    project = ssh_project(tmp_path, runtime, server)
    for number in range(10):
        result = project.run("sh", "-c", f"exit {number}")
        assert (result.returncode, result.stderr) == (number, b"")
    assert logins(server) == 1


def test_a_signal_reaches_each_of_more_commands_than_a_connection_may_carry(
    tmp_path: Path, runtime: dict[str, str], own_sshd: OwnSshd
) -> None:
    project = ssh_project(tmp_path, runtime, own_sshd("MaxSessions 10", DEFAULT_STARTUPS).start())
    running = start_all(project, 12, "trap 'exit 7' INT; echo up; while :; do sleep 0.1; done", "sh")
    for process in running:
        process.send_signal(signal.SIGINT)
    for process in running:
        process.communicate(timeout=TIMEOUT)
    assert [process.returncode for process in running] == [7] * 12
