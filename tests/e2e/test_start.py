"""Tests for starting a control master: only one, however many commands need it, and whatever an earlier one left
behind.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rdo.client import spawn_master
from rdo.ipc import startup
from rdo.ipc.release import release
from tests.e2e.masters import logins, masters, sockets, stop
from tests.e2e.project import TIMEOUT, Project, ssh_project
from tests.leaks import wait_until
from tests.soak import Counted, tries
from tests.sshd import Sshd


@pytest.mark.soak
@pytest.mark.parametrize("allowed", [10, 100])
def test_twenty_simultaneous_first_commands_start_one_master_and_log_in_once(
    tmp_path: Path, runtime: dict[str, str], own_sshd: Callable[..., Sshd], counted: Counted, allowed: int
) -> None:
    server = own_sshd(f"MaxSessions {allowed}", "MaxStartups 10:30:100").start()
    project = ssh_project(tmp_path, runtime, server)
    most = 1 + 20 // allowed  # if a connection carries fewer sessions than there are concurrent commands
    for turn in counted("times 20 simultaneous first commands", range(1, tries(2, 50) + 1)):
        running = [project.start("echo", str(number)) for number in range(20)]
        output = [process.communicate() for process in running]
        assert output == [(b"%d\n" % number, b"") for number in range(20)]
        assert [process.returncode for process in running] == [0] * 20
        assert len(masters(project)) == 1
        assert logins(server) <= most * turn
        stop(project)


def test_commands_that_find_a_stale_socket_start_one_master_and_log_in_once(project: Project, sshd: Sshd) -> None:
    assert project.run("true").returncode == 0
    for master in masters(project):
        os.kill(master, signal.SIGKILL)
    assert len(sockets(project)) == 1
    before = logins(sshd)
    running = [project.start("echo", str(number)) for number in range(5)]
    assert [process.communicate() for process in running] == [(b"%d\n" % number, b"") for number in range(5)]
    assert len(masters(project)) == 1
    assert logins(sshd) - before == 1


def test_a_foreign_stale_socket_and_the_lock_of_a_dead_client_do_not_matter(project: Project) -> None:
    assert project.run("true").returncode == 0
    (path,) = sockets(project)
    stop(project)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    path.with_name(f"{path.name}.lock").write_text("999999999")
    assert project.run("echo", "x").stdout == b"x\n"


def test_a_master_outlives_the_client_that_started_it(project: Project) -> None:
    place = Path(project.environment["XDG_RUNTIME_DIR"], "rdo", "control")
    place.parent.mkdir(0o700)
    nobody, report = os.pipe()
    os.close(nobody)
    start = [*spawn_master.python(startup.ENTRY), str(place), release().decode()]
    to_report = f'exec {startup.READY_FD}>&$0; exec "$@"'
    argv = ["bash", "-c", to_report, str(report), *start]
    with subprocess.Popen(argv, env=project.environment, pass_fds=(report,)) as master:
        os.close(report)
        assert wait_until(place.exists, TIMEOUT)
        assert project.run("echo", "x").stdout == b"x\n"
        assert masters(project) == [master.pid]
        stop(project)
