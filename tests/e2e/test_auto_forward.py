"""Tests for `auto_forward`: ports on which a command listens are forwarded here.

The target is this machine, so the same port is in use here, and the local port is a higher one.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.listener import SERVER, forward, here, server
from tests.e2e.project import TIMEOUT, Project, ssh_config_text, ssh_project
from tests.e2e.reached import Reached
from tests.e2e.terminal import Terminal
from tests.e2e.test_forward import TEXT, listens, page, ports, web_server
from tests.leaks import wait_until
from tests.ssh_server import free_port
from tests.sshd import Sshd

pytestmark = pytest.mark.usefixtures("lent")


@pytest.fixture
def automatic(project: Project) -> Project:
    """A project that forwards the ports of its commands."""
    project.configure(ssh_config_text(project, "auto_forward = true\n"))
    return project


def test_a_commands_port_is_forwarded_while_it_runs_and_no_others(automatic: Project, tmp_path: Path) -> None:
    port = free_port()
    (automatic.remote / "page").write_bytes(TEXT)
    with web_server(tmp_path) as foreign:
        with automatic.start(sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)) as command:
            local = here(automatic, port)
            assert page(local) == TEXT
            found = forward(automatic, port)
            assert (found["auto"], found["profiles"]) == (True, [])
            assert found["process"].startswith("python")
            assert found["pid"] > 0
            assert found["remote"] == f"{found['target']}:{port}"
            assert forward(automatic, foreign) == {}
            row = automatic.shell("rdoctl ports").stdout.decode().splitlines()[1]
            assert f"{found['process']} ({found['pid']}), auto" in row
            command.terminate()
            command.communicate()
        assert wait_until(lambda: not ports(automatic), TIMEOUT)
        assert not listens(local)


@pytest.mark.parametrize("host", ["::1", "0.0.0.0", "::"])
def test_a_port_is_forwarded_to_the_address_it_listens_on(automatic: Project, host: str) -> None:
    port = free_port()
    with automatic.start(*server(port, host=host)) as command:
        command.expect_up()
        assert listens(here(automatic, port))
        assert command.communicate() == (b"", b"")
    assert forward(automatic, port) == {}


def test_a_port_is_released_when_its_listener_is_closed(automatic: Project) -> None:
    port = free_port()
    with automatic.start(*server(port)) as command:
        command.expect_up()
        assert here(automatic, port) == port + 1
        assert command.stdin
        command.stdin.write(b"close\n")
        command.stdin.flush()
        assert wait_until(lambda: not ports(automatic), TIMEOUT)
        assert not listens(port + 1)
        command.communicate()


def test_several_commands_have_separate_ports(automatic: Project) -> None:
    first, _, second = free_port(), free_port(), free_port()  # the first one is forwarded between them
    with automatic.start(*server(first)) as one, automatic.start(*server(second)) as two:
        one.expect_up()
        two.expect_up()
        assert here(automatic, first)
        assert here(automatic, second)
        one.communicate()
        assert wait_until(lambda: not forward(automatic, first), TIMEOUT)
        assert forward(automatic, second)
        two.communicate()


def test_without_the_key_nothing_is_forwarded(project: Project) -> None:
    port = free_port()
    with project.start(*server(port)) as command:
        command.expect_up()
        assert project.run("sleep", "1").returncode == 0
        assert ports(project) == []
        command.communicate()


def test_a_port_that_is_already_forwarded_is_left_alone(automatic: Project) -> None:
    port, other = free_port(), free_port()
    with automatic.start("-L", f"{other}:{port}", *server(port)) as command:
        command.expect_up()
        assert automatic.run("sleep", "1").returncode == 0
        assert [(each["local"], each["auto"]) for each in ports(automatic)] == [(f"localhost:{other}", False)]
        command.communicate()


@pytest.mark.both_clients
def test_a_terminal_is_told_where_a_port_is(automatic: Project) -> None:
    port = free_port()
    words = [str(word) for word in automatic.command("-T", *server(port))]
    with Terminal(words, automatic.local, automatic.environment) as terminal:
        terminal.expect("up")
        found = terminal.match(r"rdo: http://localhost:(\d+) -> \S*devbox:(\d+); (\d+) is in use here\r\n")
        assert found.groups() == (str(port + 1), str(port), str(port))
        terminal.type("\x04")


def test_on_a_pty_a_port_is_reported_on_a_separate_line(automatic: Project) -> None:
    port = free_port()
    words = [str(word) for word in automatic.command(*server(port, "ready> "))]
    with Terminal(words, automatic.local, automatic.environment) as terminal:
        terminal.expect("ready> ")
        terminal.match(rf"(^|\n)rdo: http://localhost:{port + 1} -> \S*devbox:{port}; {port} is in use here\r\n")
        terminal.type("\x04")


def ephemeral_port() -> int:
    """One of the ports that systems assign."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_an_ephemeral_port_is_reported_when_a_url_names_it(automatic: Project) -> None:
    port = ephemeral_port()
    url = f"http://127.0.0.1:{port}/"
    words = [str(word) for word in automatic.command("-T", *server(port, url, "silent"))]
    with Terminal(words, automatic.local, automatic.environment) as terminal:
        assert here(automatic, port)
        assert "rdo" not in terminal.seen
        terminal.line("write")
        terminal.expect(url)
        terminal.match(rf"rdo: http://localhost:\d+ -> \S*devbox:{port}; {port} is in use here")
        terminal.type("\x04")


def test_a_process_name_with_control_characters_is_shown_escaped(automatic: Project) -> None:
    port = free_port()
    program = f'open("/proc/self/comm", "w").write("\\033[31m\\n\\r x"); {SERVER}'
    with automatic.start(sys.executable, "-c", program, "127.0.0.1", str(port), "up") as command:
        command.expect_up()
        assert here(automatic, port)
        shown = automatic.shell("rdoctl ports; rdoctl status").stdout
        assert b"\033" not in shown
        assert b"\r" not in shown
        assert b"\\x1b[31m?" in shown
        command.communicate()


def test_a_server_without_room_still_runs_the_command(
    tmp_path: Path, runtime: dict[str, str], own_sshd: Callable[..., Sshd]
) -> None:
    project = ssh_project(tmp_path, runtime, own_sshd("MaxSessions 2").start(), "auto_forward = true\n")
    for _ in ("asked", "known"):
        with project.start("-v", *server(free_port())) as command:
            command.expect_up()
            assert command.stderr
            said = next(line for line in command.stderr if b"listens" in line)
            assert said == b"rdo: cannot find out what the command listens on: the server allows no further session\n"
            command.communicate()
            assert command.returncode == 0


def test_the_next_command_has_its_ports_after_the_connection_was_lost(by_ssh: Reached) -> None:
    project, port = by_ssh.project, free_port()
    by_ssh.configure("auto_forward = true\n")
    with project.start(*server(port)) as command:
        command.expect_up()
        assert listens(here(project, port))
        by_ssh.line.cut()
        command.communicate()
        assert command.returncode == 255
    assert wait_until(lambda: not listens(port), TIMEOUT)
    with project.start(*server(port)) as command:
        command.expect_up()
        assert listens(here(project, port))
        command.communicate()


def test_closing_a_target_closes_its_ports(automatic: Project) -> None:
    port = free_port()
    with automatic.start(*server(port)) as command:
        command.expect_up()
        local = here(automatic, port)
        assert automatic.shell("rdoctl stop --now").returncode == 0
        command.communicate()
    assert wait_until(lambda: not listens(local), TIMEOUT)
