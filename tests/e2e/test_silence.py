"""Tests for a line that drops everything: an idle connection is replaced, and a running command continues or is
informed in time.

The times are those of rdo.drivers.silence; tests/unit/drivers/test_keepalive.py has shorter ones.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rdo.drivers.silence import KEEPALIVE_TIMEOUTS
from tests.conftest import require
from tests.docker_engine import DockerEngine
from tests.e2e.project import TIMEOUT, Started
from tests.e2e.reached import EngineBySsh, Reached, over_docker_ssh, over_docker_tcp, over_ssh, sleepers, token
from tests.e2e.terminal import Terminal
from tests.leaks import wait_until
from tests.soak import tries
from tests.sshd import Sshd

takes_long = pytest.mark.skipif(not tries(0, 1), reason="takes half a minute: see `make soak`")

ANSWER_TIMEOUT = 20.0
"""Seconds for the next command after the link died while it was idle: 3, and a login on a busy machine."""

DEAD_TIMEOUT = 30.0
"""Seconds in which a running command must report that its link is lost: 20, and time for a busy machine."""

SMCUP, RMCUP = r"\033[?1049h", r"\033[?1049l"


@pytest.fixture
def ssh(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> Iterator[Reached]:
    with ExitStack() as stack:
        yield over_ssh(tmp_path, runtime, sshd, stack)


@pytest.fixture(scope="session")
def engine_by_ssh(sshd: Sshd, docker_engine: DockerEngine) -> EngineBySsh:
    if shutil.which("docker") is None:
        require("docker", "the docker command, which ssh:// runs on the other side, is not installed")
    return EngineBySsh(sshd, docker_engine)


@pytest.fixture(scope="session", params=["sshd", "docker_engine", "engine_by_ssh"])
def server(request: pytest.FixtureRequest) -> Sshd | DockerEngine | EngineBySsh:
    found: Sshd | DockerEngine | EngineBySsh = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def reached(tmp_path: Path, runtime: dict[str, str], server: Sshd | DockerEngine | EngineBySsh) -> Iterator[Reached]:
    with ExitStack() as stack:
        if isinstance(server, EngineBySsh):
            yield over_docker_ssh(tmp_path, runtime, server, stack)
            return
        if isinstance(server, Sshd):
            yield over_ssh(tmp_path, runtime, server, stack)
        else:
            yield over_docker_tcp(tmp_path, runtime, server, stack)


def pass_silence() -> None:
    """Wait as long as a link is trusted without a probe."""
    time.sleep(KEEPALIVE_TIMEOUTS.liveness + 0.2)


def echo(reached: Reached) -> Started:
    """Start a command that echoes each line."""
    command = reached.project.start("sh", "-c", "echo up; exec cat")
    command.expect_up()
    return command


def test_the_next_command_works_at_once_when_an_idle_link_died(reached: Reached) -> None:
    assert reached.project.run("true").returncode == 0
    reached.line.fall_silent()
    pass_silence()
    began = time.monotonic()
    found = reached.project.run("echo", "again")
    assert (found.stdout, found.stderr) == (b"again\n", b"")
    assert time.monotonic() - began < ANSWER_TIMEOUT


def test_a_new_connection_beside_a_silent_one_does_not_affect_its_commands(reached: Reached) -> None:
    with echo(reached) as command:
        assert command.stdin
        assert command.stdout
        reached.line.freeze()
        pass_silence()
        assert reached.project.run("echo", "beside").stdout == b"beside\n"
        reached.line.thaw()
        command.stdin.write(b"still here\n")
        command.stdin.flush()
        assert command.stdout.readline() == b"still here\n"
        _, said = command.communicate(timeout=TIMEOUT)
    assert (command.returncode, said) == (0, b"")


def test_a_silent_connection_that_answers_before_the_new_one_is_used(ssh: Reached) -> None:
    assert ssh.project.run("true").returncode == 0
    ssh.line.freeze()
    ssh.line.holds_new = True
    pass_silence()
    with ssh.project.start("echo", "again") as command:
        assert wait_until(lambda: ssh.line.held == 1, ANSWER_TIMEOUT)
        ssh.line.thaw()
        said, complaint = command.communicate(timeout=TIMEOUT)
    assert (command.returncode, said, complaint) == (0, b"again\n", b"")
    assert ssh.line.held == 1
    ssh.line.release()


def test_a_silent_connection_that_answers_after_the_new_one_was_refused_is_used(ssh: Reached) -> None:
    assert ssh.project.run("true").returncode == 0
    ssh.line.freeze()
    ssh.line.refuses_new = True
    pass_silence()
    with ssh.project.start("echo", "again") as command:
        assert wait_until(lambda: ssh.line.refused == 1, ANSWER_TIMEOUT)
        ssh.line.thaw()
        said, complaint = command.communicate(timeout=TIMEOUT)
    assert (command.returncode, said, complaint) == (0, b"again\n", b"")


def test_silence_and_its_end_are_reported_on_a_terminal_but_not_on_an_alternate_screen(ssh: Reached) -> None:
    project = ssh.project
    prompt = "printf 'in the middle'; cat"
    full = f"printf '{SMCUP}full'; read line; printf '{RMCUP}'; echo over"
    with ExitStack() as stack:
        plain, pty, screen, paged = (
            stack.enter_context(Terminal(["sh", "-c", line], project.local, project.environment))
            for line in (
                "rdo -T sh -c 'echo up; cat'",
                f'rdo sh -c "{prompt}"',
                f'rdo sh -c "{full}"',
                "rdo sh -c 'echo up; cat' | { stty -icanon </dev/tty; cat; }",  # as a pager does
            )
        )
        for terminal, shown in ((plain, "up"), (pty, "in the middle"), (screen, "full"), (paged, "up")):
            terminal.match(rf"{shown}[\r\n]*$")
        ssh.line.freeze()
        told = r"rdo: no answer from devbox for \d s\r\n$"
        plain.match(rf"^{told}")
        pty.match(rf"^\r\n{told}")
        ssh.line.thaw()
        for terminal in (plain, pty):
            terminal.match(r"^rdo: devbox answers again, after \d+ s\r\n$")
        for terminal in (plain, pty):
            terminal.line("x")
            terminal.match(r"^(x\r\n)+$")
        screen.line("x")
        screen.match(r"^(x\r\n)?\x1b\[\?1049lover\r\n$")


def test_silence_is_not_reported_if_stderr_is_not_a_terminal(ssh: Reached) -> None:
    with echo(ssh) as command:
        ssh.line.freeze()
        time.sleep(KEEPALIVE_TIMEOUTS.report_after + 1)
        ssh.line.thaw()
        _, said = command.communicate(timeout=TIMEOUT)
    assert (command.returncode, said) == (0, b"")


@pytest.mark.soak
@takes_long
def test_a_shell_on_a_dead_link_is_given_up_as_soon_as_a_command(ssh: Reached) -> None:
    assert ssh.project.run("-T", "true").returncode == 0  # so that no shell waits on a terminal
    ssh.line.fall_silent()
    command = [os.fsdecode(word) for word in ssh.project.command("-t", "echo", "again")]
    began = time.monotonic()
    with Terminal(command, ssh.project.local, ssh.project.environment) as terminal:
        terminal.expect("rdo: starting a shell on `devbox`")
        terminal.match("again\r\n")
    assert time.monotonic() - began < DEAD_TIMEOUT


@pytest.mark.soak
@takes_long
def test_a_running_command_is_told_that_its_link_is_lost(reached: Reached) -> None:
    with reached.project.start("sh", "-c", "echo up; exec sleep 60", stdin=subprocess.DEVNULL) as command:
        command.expect_up()
        reached.line.fall_silent()
        began = time.monotonic()
        _, said = command.communicate(timeout=TIMEOUT)
    assert time.monotonic() - began < DEAD_TIMEOUT
    assert command.returncode == 255
    assert re.fullmatch(
        rb"rdo: the connection to `[^`]+` was lost: no answer for 2\d s; the command is not run again\n", said
    )
    assert reached.project.run("echo", "again").stdout == b"again\n"


def test_a_server_with_keepalives_ends_the_command_there(
    tmp_path: Path, runtime: dict[str, str], register_server: Callable[..., None]
) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(Sshd(tmp_path / "sshd", ["ClientAliveInterval 1", "ClientAliveCountMax 2"]))
        register_server(server.pid)
        reached = over_ssh(tmp_path, runtime, server, stack)
        mark = token()
        with reached.project.start("sh", "-c", f"echo up; sleep {mark}; exit") as command:
            command.expect_up()
            reached.line.fall_silent()
            assert wait_until(lambda: not sleepers(mark), 10.0), sleepers(mark)
            command.kill()
