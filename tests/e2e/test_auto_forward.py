"""What a command listens on there is here by itself: `auto_forward`.

The target is this machine, so that the port is in use here, and moves up; a container has ports of its own.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.docker_engine import DockerEngine
from tests.e2e.project import PATIENCE, Project, docker_project, ssh_config_text, ssh_project
from tests.e2e.reached import Reached, all_but, over_ssh
from tests.e2e.terminal import Terminal
from tests.e2e.test_forward import TEXT, listens, page, ports, web_server
from tests.leaks import wait_until
from tests.ssh_server import free_port
from tests.sshd import Sshd

SERVER = """
import socket, sys, time
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
def listen():
    s.bind((sys.argv[1], int(sys.argv[2])))
    s.listen()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if sys.argv[4:] == ["late"]:
    print(sys.argv[3], flush=True)
    time.sleep(0.1)
    listen()
else:
    listen()
    if sys.argv[4:] != ["silent"]:
        print(sys.argv[3], flush=True)
while line := sys.stdin.readline():
    if line == "close\\n":
        s.close()
    if line == "write\\n":
        print(sys.argv[3], flush=True)
"""
"""Listens on a port until it reads `close`, or its input ends."""


@pytest.fixture
def runtime(lent: dict[str, str]) -> dict[str, str]:
    """With a master that stays."""
    return lent


def server(port: int, text: str = "up", *more: str, host: str = "127.0.0.1") -> Sequence[str]:
    """A command that listens, and writes a text."""
    return (sys.executable, "-c", SERVER, host, str(port), text, *more)


def forward(project: Project, port: int) -> dict[str, Any]:
    """What `rdoctl ports` says of a port of the target, if it is forwarded."""
    return next((each for each in ports(project) if each["remote"].endswith(f":{port}")), {})


def here(project: Project, port: int) -> int:
    """Where a port of the target is, once it is."""
    found = wait_until(lambda: forward(project, port), PATIENCE)
    return int(found["local"].rpartition(":")[2]) if found else 0


@pytest.fixture
def automatic(project: Project) -> Project:
    """A project whose commands have their ports here."""
    project.configure(ssh_config_text(project, "auto_forward = true\n"))
    return project


def test_what_a_command_serves_is_here_while_it_runs_and_nothing_of_others(automatic: Project, tmp_path: Path) -> None:
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
        assert wait_until(lambda: not ports(automatic), PATIENCE)
        assert not listens(local)


@pytest.mark.parametrize("host", ["::1", "0.0.0.0", "::"])
def test_a_port_is_reached_at_the_address_that_it_has(automatic: Project, host: str) -> None:
    port = free_port()
    with automatic.start(*server(port, host=host)) as command:
        command.expect_up()
        assert listens(here(automatic, port))
        assert command.communicate() == (b"", b"")
    assert forward(automatic, port) == {}


def test_a_port_is_given_back_once_its_listener_is_closed(automatic: Project) -> None:
    port = free_port()
    with automatic.start(*server(port)) as command:
        command.expect_up()
        assert here(automatic, port) == port + 1
        assert command.stdin
        command.stdin.write(b"close\n")
        command.stdin.flush()
        assert wait_until(lambda: not ports(automatic), PATIENCE)
        assert not listens(port + 1)
        command.communicate()


def test_each_of_several_commands_has_its_own(automatic: Project) -> None:
    first, second = free_port(), free_port()
    with automatic.start(*server(first)) as one, automatic.start(*server(second)) as two:
        one.expect_up()
        two.expect_up()
        assert here(automatic, first)
        assert here(automatic, second)
        one.communicate()
        assert wait_until(lambda: not forward(automatic, first), PATIENCE)
        assert forward(automatic, second)
        two.communicate()


def test_without_the_key_nothing_is_forwarded(project: Project) -> None:
    port = free_port()
    with project.start(*server(port)) as command:
        command.expect_up()
        assert project.run("sleep", "1").returncode == 0
        assert ports(project) == []
        command.communicate()


def test_a_port_that_is_forwarded_anyway_is_left_alone(automatic: Project) -> None:
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


def test_a_command_on_a_pty_is_told_on_a_line_of_its_own(automatic: Project) -> None:
    port = free_port()
    words = [str(word) for word in automatic.command(*server(port, "ready> "))]
    with Terminal(words, automatic.local, automatic.environment) as terminal:
        terminal.expect("ready> ")
        terminal.match(rf"(^|\n)rdo: http://localhost:{port + 1} -> \S*devbox:{port}; {port} is in use here\r\n")
        terminal.type("\x04")


def ephemeral_port() -> int:
    """One of those that systems give out."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_port_that_the_system_gave_out_is_mentioned_once_a_url_names_it(automatic: Project) -> None:
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


def test_a_process_whose_name_drives_terminals_is_shown_escaped(automatic: Project) -> None:
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


@pytest.fixture
def mapping(project: Project) -> Project:
    """The same, whose output is to name what is here."""
    project.configure(ssh_config_text(project, "auto_forward = true\nmap_output = true\n"))
    return project


@pytest.mark.parametrize("when", ["", "late"], ids=["after it listens", "just before it listens"])
def test_a_url_in_output_names_the_port_that_is_here(mapping: Project, when: str) -> None:
    port = free_port()
    with mapping.start(*server(port, f"at http://localhost:{port}/ now", when)) as command:
        assert command.stdout
        assert command.stdout.readline() == f"at http://localhost:{port + 1}/ now\n".encode()
        command.communicate()


def test_a_url_of_somebody_else_s_port_stays_as_it_is(mapping: Project, tmp_path: Path) -> None:
    with web_server(tmp_path) as foreign:
        result = mapping.run(
            "sh", "-c", f"echo http://localhost:{foreign}/; echo http://127.0.0.1:{foreign}/x; sleep 1"
        )
    assert result.stdout == f"http://localhost:{foreign}/\nhttp://127.0.0.1:{foreign}/x\n".encode()


def test_a_port_of_a_container_is_here_by_its_own_number(
    docker_engine: DockerEngine, tmp_path: Path, runtime: dict[str, str]
) -> None:
    port = free_port()
    with docker_engine.container("busybox", {tmp_path: str(tmp_path)}) as name:
        project = docker_project(tmp_path, runtime, docker_engine, name)
        project.configure((project.local / ".rdo.conf").read_text() + "auto_forward = true\n")
        (project.remote / "page").write_bytes(TEXT)
        line = 'busybox httpd -f -p "$1" & echo up; read -r _; kill $!'
        with project.start("sh", "-c", line, "sh", str(port)) as command:
            command.expect_up()
            assert here(project, port) == port
            assert page(port) == TEXT
            command.communicate()


def test_a_server_without_room_runs_the_command_all_the_same(
    tmp_path: Path, runtime: dict[str, str], own_sshd: Callable[..., Sshd]
) -> None:
    project = ssh_project(tmp_path, runtime, own_sshd("MaxSessions 2").start(), "auto_forward = true\n")
    with project.start("-v", *server(free_port())) as command:
        command.expect_up()
        assert command.stderr
        said = next(line for line in command.stderr if b"listens" in line)
        assert said == b"rdo: cannot find out what the command listens on: the server allows no further session\n"
        command.communicate()
        assert command.returncode == 0


@pytest.fixture
def cut_off(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> Iterator[Reached]:
    """A project over a line that can be cut."""
    with ExitStack() as stack:
        yield over_ssh(tmp_path, runtime, sshd, stack)


def test_the_next_command_has_its_ports_after_the_connection_was_lost(cut_off: Reached) -> None:
    project, port = cut_off.project, free_port()
    cut_off.configure("auto_forward = true\n")
    with project.start(*server(port)) as command:
        command.expect_up()
        assert listens(here(project, port))
        cut_off.line.cut()
        command.communicate()
        assert command.returncode == 255
    assert wait_until(lambda: not listens(port), PATIENCE)
    with project.start(*server(port)) as command:
        command.expect_up()
        assert listens(here(project, port))
        command.communicate()


def test_a_target_that_is_closed_takes_the_ports_along(automatic: Project) -> None:
    port = free_port()
    with automatic.start(*server(port)) as command:
        command.expect_up()
        local = here(automatic, port)
        assert automatic.shell("rdoctl stop --now").returncode == 0
        command.communicate()
    assert wait_until(lambda: not listens(local), PATIENCE)


@all_but("ssh-dropbear", "it has one session beside the lifeline: later ones would end with those before")
def test_it_works_over_each_kind_of_connection(reached: Reached) -> None:
    """In a container, by a relay; as an ordinary user, who sees no other's sockets."""
    project, port = reached.project, free_port()
    reached.configure("auto_forward = true\n")
    line = 'busybox httpd -f -p "127.0.0.1:$1" & echo up; read -r _; kill $!'
    with project.start("sh", "-c", line, "sh", str(port)) as command:
        command.expect_up()
        assert listens(here(project, port))
        assert wait_until(lambda: forward(project, port)["process"] == "busybox", PATIENCE)
        command.communicate()
    assert wait_until(lambda: not forward(project, port), PATIENCE)


def test_a_port_that_is_asked_for_is_the_user_s_even_if_it_is_here_by_itself(
    docker_engine: DockerEngine, tmp_path: Path, runtime: dict[str, str]
) -> None:
    port, other = free_port(), free_port()
    with docker_engine.container("busybox", {tmp_path: str(tmp_path)}) as name:
        project = docker_project(tmp_path, runtime, docker_engine, name)
        project.configure((project.local / ".rdo.conf").read_text() + "auto_forward = true\n")
        line = 'busybox httpd -f -p "$1" & echo up; read -r _; kill $!'
        with project.start("sh", "-c", line, "sh", str(port)) as command:
            command.expect_up()
            assert here(project, port) == port
            with project.start("-L", f"{port}:localhost:{other}", "sh", "-c", "echo up; read -r _") as second:
                second.expect_up()
                found = [(each["local"], each["remote"].rpartition(":")[2], each["auto"]) for each in ports(project)]
                assert (f"localhost:{port}", str(other), False) in found
                second.communicate()
            command.communicate()
