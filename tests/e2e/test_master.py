"""Tests for the control master: one login that all commands share, and that is silently renewed if necessary."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from rdo.master.listener import BACKLOG
from tests.e2e.masters import logins, masters, report, sockets, suspend
from tests.e2e.project import Project, ssh_config_text
from tests.e2e.terminal import Terminal
from tests.leaks import wait_until
from tests.sshd import Sshd


def test_the_first_command_logs_in_and_later_ones_reuse_the_connection(project: Project, sshd: Sshd) -> None:
    before = logins(sshd)
    for _ in range(5):
        assert project.run("true").returncode == 0
    assert logins(sshd) - before == 1
    assert len(masters(project)) == 1


def test_a_changed_config_is_used_by_the_next_command(project: Project) -> None:
    words = ["sh", "-c", "echo ${STAGE-none}"]
    assert project.run(*words).stdout == b"none\n"
    for stage in ("one", "two"):
        project.configure(ssh_config_text(project, f'env = {{ STAGE = "{stage}" }}\n'))
        assert project.run(*words).stdout == f"{stage}\n".encode()
    (project.local / ".rdo.local.conf").write_text('env = { STAGE = "local" }\n')
    assert project.run(*words).stdout == b"local\n"
    assert wait_until(lambda: len(masters(project)) == 1, 5)


def test_a_running_command_outlives_a_change_of_the_config(project: Project) -> None:
    with project.start("sh", "-c", "echo up; sleep 1; echo end") as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        project.configure(ssh_config_text(project, "map_args = false\n"))
        assert project.run("true").returncode == 0
        assert process.stdout.read() == b"end\n"
        assert process.wait() == 0


def test_an_idle_connection_is_closed_and_a_status_report_is_not_a_use(project: Project) -> None:
    project.configure(ssh_config_text(project, 'idle_timeout = "1s"\n'))
    assert project.run("sleep", "2").returncode == 0
    assert len(report(project)["targets"]) == 1
    assert wait_until(lambda: not report(project)["targets"], 5)
    assert len(masters(project)) == 1


@pytest.mark.parametrize("full", [False, True], ids=["", "and as many wait for it as may"])
def test_a_wedged_master_is_replaced(project: Project, full: bool) -> None:
    project.run("true")
    (wedged,) = masters(project)
    suspend(wedged)
    with contextlib.ExitStack() as waiting:
        waiting.callback(os.kill, wedged, signal.SIGCONT)
        if full:
            fill(sockets(project)[0], waiting)
        started = time.monotonic()
        assert project.run("true").returncode == 0
        assert time.monotonic() - started < 6
    assert wait_until(lambda: wedged not in masters(project), 15)


@pytest.mark.both_clients
@pytest.mark.parametrize("name", ["INT", "TERM", "HUP"])
def test_a_signal_ends_a_client_whose_master_is_wedged(project: Project, name: str) -> None:
    assert project.run("true").returncode == 0  # the client in C hands a first command over to the one in Python
    with project.start("sh", "-c", "echo here; exec sleep 600") as command:
        assert command.stdout is not None
        assert command.stdout.readline() == b"here\n"
        (wedged,) = masters(project)
        suspend(wedged)
        try:
            command.send_signal(getattr(signal, "SIG" + name))
            _, stderr = command.communicate(timeout=30)
        finally:
            os.kill(wedged, signal.SIGCONT)
    assert command.returncode == 255
    assert stderr == (
        b"rdo: the command was lost: the control master does not respond; it may still run; "
        b"`rdoctl stop --now` ends it\n"
    )


@pytest.mark.both_clients
def test_a_wedged_master_is_reported_on_a_terminal_but_not_on_an_alternate_screen(
    project: Project,
) -> None:
    full = r"printf '\\033[?1049hfull'; read line; printf '\\033[?1049l'; echo over"
    with contextlib.ExitStack() as stack:
        plain, pty, screen, paged = (
            stack.enter_context(Terminal(["sh", "-c", line], project.local, project.environment))
            for line in (
                "rdo -T sh -c 'echo up; cat'",
                "rdo sh -c 'printf up; cat'",
                f'rdo sh -c "{full}"',
                "rdo sh -c 'echo up; cat' | { stty -icanon </dev/tty; cat; }",  # as a pager does
            )
        )
        for terminal, shown in ((plain, "up"), (pty, "up"), (screen, "full"), (paged, "up")):
            terminal.match(rf"{shown}[\r\n]*$")
        (wedged,) = masters(project)
        suspend(wedged)
        try:
            told = r"rdo: no answer from the control master for \d s\r\n$"
            plain.match(rf"^{told}")
            pty.match(rf"^\r\n{told}")
        finally:
            os.kill(wedged, signal.SIGCONT)
        for terminal in (plain, pty):
            terminal.match(r"^rdo: the control master answers again, after \d s\r\n$")
            terminal.line("x")
            terminal.match(r"^(x\r\n)+$")
        screen.line("x")
        screen.match(r"^(x\r\n)?\x1b\[\?1049lover\r\n$")
        paged.line("x")
        paged.match(r"^(x\r\n)+$")


@pytest.mark.both_clients
def test_a_command_that_survives_a_signal_is_not_regarded_as_lost(project: Project) -> None:
    with project.start("sh", "-c", "trap 'echo caught' INT; echo here; sleep 5; echo over") as command:
        assert command.stdout is not None
        assert command.stdout.readline() == b"here\n"
        command.send_signal(signal.SIGINT)
        assert command.communicate(timeout=30)[0].endswith(b"over\n")
    assert command.returncode == 0


def fill(path: Path, waiting: contextlib.ExitStack) -> None:
    """Connect to a socket until its queue is full."""
    for _ in range(2 * BACKLOG):
        connection = waiting.enter_context(socket.socket(socket.AF_UNIX))
        connection.setblocking(False)
        try:
            connection.connect(str(path))
        except BlockingIOError:
            return
    pytest.fail("the queue has no end")


def test_a_command_works_after_the_master_was_killed(project: Project) -> None:
    project.run("true")
    os.kill(masters(project)[0], signal.SIGKILL)
    assert project.run("echo", "x").stdout == b"x\n"


def test_stop_lets_the_running_command_end_and_new_ones_get_a_new_master(project: Project) -> None:
    with project.start("sh", "-c", "echo up; sleep 2; exit 3") as process:
        assert process.stdout
        process.stdout.readline()
        (old,) = masters(project)
        assert project.shell("rdoctl stop --all").returncode == 0
        assert project.run("true").returncode == 0
        assert process.wait() == 3
    assert wait_until(lambda: old not in masters(project), 5)


def test_a_target_that_went_away_and_came_back_is_silently_reconnected(project: Project, sshd: Sshd) -> None:
    project.run("true")
    sshd.cut()
    result = project.run("echo", "again")
    assert (result.stdout, result.stderr) == (b"again\n", b"")


def test_the_master_holds_none_of_the_caller_s_descriptors(project: Project) -> None:
    started = time.monotonic()
    assert project.shell("exec 7>marker; rdo true 2>&1 | cat").returncode == 0
    assert time.monotonic() - started < 15
    for pid in masters(project):
        held = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        assert not [name for name in held if "marker" in name or "pipe" in name]


def test_an_invalid_config_is_reported_by_every_command_until_it_is_fixed(project: Project) -> None:
    project.configure('driver = "ssh"\nhots = "devbox"\n')
    for _ in range(2):
        result = project.run("true")
        assert result.returncode == 255
        assert b"did you mean `host`" in result.stderr
    project.configure(ssh_config_text(project))
    assert project.run("true").returncode == 0


def test_the_status_of_a_master_names_target_and_commands(project: Project) -> None:
    with project.start("sleep", "5") as process:
        assert wait_until(lambda: _running(project) == [["sleep", "5"]], 10)
        process.kill()


def _running(project: Project) -> list[list[str]]:
    report = json.loads(project.shell("rdoctl status --json").stdout)
    return [command.split() for master in report for command in master.get("running", [])]
