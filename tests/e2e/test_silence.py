"""A line that swallows all and says nothing: what was idle is replaced, and what ran is told, each in time.

The times are those of rdo.drivers.ssh.keepalive; tests/integration/test_ssh_liveness.py has shorter ones.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rdo.drivers.ssh.keepalive import KEEPALIVE_TIMEOUTS
from tests.e2e.project import PATIENCE
from tests.e2e.reached import Reached, over_ssh, sleepers, token
from tests.leaks import wait_until
from tests.soak import tries
from tests.sshd import Sshd

takes_long = pytest.mark.skipif(not tries(0, 1), reason="takes a minute: see `make soak`")

NEXT_COMMAND = 10.0
"""Seconds in which the next command must have run when the link died while it was idle."""

RUNNING_COMMAND = 45.0
"""Seconds in which a running command must be told that its link is lost."""


@pytest.fixture
def ssh(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> Iterator[Reached]:
    with ExitStack() as stack:
        yield over_ssh(tmp_path, runtime, sshd, stack)


@pytest.mark.soak
@takes_long
def test_the_next_command_works_within_ten_seconds_when_an_idle_link_died(ssh: Reached) -> None:
    assert ssh.project.run("true").returncode == 0
    ssh.line.fall_silent()
    time.sleep(KEEPALIVE_TIMEOUTS.liveness + 1)  # as long as a link counts as alive without being asked
    began = time.monotonic()
    found = ssh.project.run("echo", "again")
    assert (found.stdout, found.stderr) == (b"again\n", b"")
    assert time.monotonic() - began < NEXT_COMMAND


@pytest.mark.soak
@takes_long
def test_a_running_command_is_told_within_three_quarters_of_a_minute(ssh: Reached) -> None:
    with ssh.project.start("sh", "-c", "echo up; exec sleep 60", stdin=subprocess.DEVNULL) as command:
        assert command.stdout
        assert command.stdout.readline() == b"up\n"
        ssh.line.fall_silent()
        began = time.monotonic()
        _, said = command.communicate(timeout=PATIENCE)
    assert time.monotonic() - began < RUNNING_COMMAND
    assert command.returncode == 255
    assert said.startswith(b"rdo: the connection to `devbox` was lost: ")
    assert said.count(b"\n") == 1
    assert ssh.project.run("echo", "again").stdout == b"again\n"


def test_a_server_that_asks_for_a_sign_of_life_ends_the_command_there(
    tmp_path: Path, runtime: dict[str, str], register_server: Callable[..., None]
) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(Sshd(tmp_path / "sshd", ["ClientAliveInterval 1", "ClientAliveCountMax 2"]))
        register_server(server.pid)
        reached = over_ssh(tmp_path, runtime, server, stack)
        mark = token()
        with reached.project.start("sh", "-c", f"echo up; sleep {mark}; exit") as command:
            assert command.stdout
            assert command.stdout.readline() == b"up\n"
            reached.line.fall_silent()
            assert wait_until(lambda: not sleepers(mark), 10.0), sleepers(mark)
            command.kill()
