"""Tests for ports of the target on this machine: with -L for one command, with `forward` as long as the connection is
held.
"""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import TIMEOUT, Project, ssh_config_text
from tests.e2e.reached import Reached
from tests.e2e.served import file_server
from tests.e2e.served import listens as listens
from tests.leaks import wait_until
from tests.ssh_server import free_port

pytestmark = pytest.mark.usefixtures("lent")

TEXT = b"served there\n"


@contextmanager
def web_server(directory: Path) -> Iterator[int]:
    """A server on the target, which is this machine. Yields its port."""
    (directory / "page").write_bytes(TEXT)
    with file_server(directory) as port:
        yield port


def page(port: int) -> bytes:
    with suppress(OSError), urllib.request.urlopen(f"http://localhost:{port}/page", timeout=TIMEOUT) as answer:
        return bytes(answer.read())
    return b""


@pytest.mark.both_clients
def test_a_port_is_forwarded_while_its_command_runs(project: Project) -> None:
    with web_server(project.remote) as port:
        here = free_port()
        with project.start("-L", f"{here}:localhost:{port}", "sh", "-c", "echo up; cat") as command:
            command.expect_up()
            assert page(here) == TEXT
            assert command.communicate() == (b"", b"")
        assert wait_until(lambda: not listens(here), TIMEOUT)


def test_several_ports_and_joined_options_are_parsed_as_by_ssh(project: Project) -> None:
    with web_server(project.remote) as port:
        first, second = free_port(), free_port()
        words = (f"-L{first}:127.0.0.1:{port}", "-L", f"{second}:{port}")
        with project.start(*words, "sh", "-c", "echo up; cat") as command:
            command.expect_up()
            assert page(first) == page(second) == TEXT


def test_a_port_in_use_moves_up_and_the_line_names_the_new_one(project: Project) -> None:
    with web_server(project.remote) as port:
        with project.start("-L", str(port), "sh", "-c", "echo up; cat") as command:
            command.expect_up()
            assert page(port + 1) == TEXT
            _, said = command.communicate()
        line = f"rdo: localhost:{port + 1} -> root@devbox:{port}; {port} is in use here\n"
        assert said.decode().replace("root@", "") == line.replace("root@", "")


def test_if_a_port_that_must_not_move_is_in_use_no_command_is_started(project: Project) -> None:
    with web_server(project.remote) as port:
        result = project.run("-L", f"{port}!", "touch", "started")
    assert result.returncode == 255
    assert f"rdo: cannot listen on `{port}`: the port is in use; choose another".encode() in result.stderr
    assert not (project.remote / "started").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-L", "http"), b"rdo: `-L http` has `http` where a port should be; "),
        (("-L", "0.0.0.0:8080:db:80"), b"rdo: `-L 0.0.0.0:8080:db:80` would open the port to other machines: "),
    ],
)
def test_with_an_invalid_forward_no_command_is_started(project: Project, words: tuple[str, ...], says: bytes) -> None:
    result = project.run(*words, "touch", "started")
    assert result.returncode == 255
    assert result.stderr.startswith(says)
    assert not (project.remote / "started").exists()


def test_a_port_of_the_config_is_forwarded_from_the_first_command_on(project: Project) -> None:
    with web_server(project.remote) as port:
        here = free_port()
        project.configure(ssh_config_text(project, f'forward = ["{here}:{port}"]\n'))
        assert project.run("true").stderr == b""
        assert page(here) == TEXT
        moved = free_port()
        project.configure(ssh_config_text(project, f'forward = ["{moved}:{port}"]\n'))
        assert project.run("true").stderr == b""
        assert page(moved) == TEXT
        assert wait_until(lambda: not listens(here), TIMEOUT)
        project.configure(ssh_config_text(project))
        assert project.run("true").returncode == 0
        assert wait_until(lambda: not listens(moved), TIMEOUT)


def test_a_repository_cannot_open_a_port_to_other_machines(project: Project) -> None:
    project.configure(ssh_config_text(project, 'forward = ["0.0.0.0:8080:db:80"]\n'))
    result = project.run("true")
    assert result.returncode == 255
    assert b"which would open the port to other machines; leave the address out" in result.stderr


def test_the_user_can_open_a_port_in_a_file_of_their_own(project: Project) -> None:
    with web_server(project.remote) as port:
        here = free_port()
        own = Path(project.environment["XDG_CONFIG_HOME"], "rdo", "config.toml")
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_text(f'forward = ["0.0.0.0:{here}:localhost:{port}"]\n')
        try:
            assert project.run("true").stderr == b""
        finally:
            own.unlink()
        assert page(here) == TEXT


def test_a_wrong_forward_in_the_config_is_named_with_its_line(project: Project) -> None:
    project.configure(ssh_config_text(project, 'forward = ["3000", "70000"]\n'))
    result = project.run("true")
    assert result.returncode == 255
    assert (
        b".rdo.conf:4: `forward` contains the string `70000`, which has a port that is not between 1 and 65535"
        in result.stderr
    )


def test_a_failing_forward_of_the_config_is_reported_once_and_tried_again(project: Project) -> None:
    with web_server(project.remote) as port, socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        here = taken.getsockname()[1]
        project.configure(ssh_config_text(project, f'forward = ["{here}:{port}!"]\n'))
        assert f"rdo: cannot listen on `{here}`: the port is in use".encode() in project.run("true").stderr
        assert project.run("true").stderr == b""
        taken.close()
        assert project.run("true").stderr == b""
        assert page(here) == TEXT


def test_a_forward_ends_with_its_target(project: Project) -> None:
    with web_server(project.remote) as port:
        here = free_port()
        project.configure(ssh_config_text(project, f'forward = ["{here}:{port}"]\n'))
        assert project.run("true").returncode == 0
        assert project.shell("rdoctl stop devbox").returncode == 0
        assert wait_until(lambda: not listens(here), TIMEOUT)
        assert project.run("true").stderr == b""
        assert page(here) == TEXT


def test_a_forward_has_the_same_port_after_the_connection_was_lost(by_ssh: Reached) -> None:
    project = by_ssh.project
    with web_server(project.remote) as port:
        here = free_port()
        by_ssh.configure(f'forward = ["{here}:{port}"]\n')
        assert project.run("true").returncode == 0
        assert page(here) == TEXT
        by_ssh.line.cut()
        assert wait_until(lambda: page(here) == b"", TIMEOUT)
        assert listens(here)
        assert project.run("true").stderr == b""
        assert page(here) == TEXT


def test_a_forwarded_socket_can_only_be_used_by_its_owner(project: Project, tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as client:
        listening.bind(str(there))
        listening.listen()
        with project.start("-L", f"{here}:{there}", "sh", "-c", "echo up; cat") as command:
            command.expect_up()
            client.settimeout(TIMEOUT)
            client.connect(str(here))
            server, _ = listening.accept()
            with server:
                server.sendall(b"hello")
                assert client.recv(100) == b"hello"
        assert wait_until(lambda: not here.exists(), TIMEOUT)


def test_the_ports_are_listed_with_their_traffic(project: Project) -> None:
    assert project.shell("rdoctl ports").stdout == b"no port is forwarded; see `rdo -L` and the key `forward`\n"
    with web_server(project.remote) as port:
        here = free_port()
        project.configure(ssh_config_text(project, f'forward = ["{here}:{port}"]\n'))
        assert project.run("true").returncode == 0
        assert page(here) == TEXT
        assert wait_until(lambda: ports(project)[0]["open"] == 0, TIMEOUT)
        (forward,) = ports(project)
        assert forward["local"] == f"localhost:{here}"
        assert forward["remote"].endswith(f"devbox:{port}")
        assert forward["profiles"] == [{"config": str(project.local / ".rdo.conf"), "profile": "default"}]
        assert (forward["connections"], forward["failure"]) == (1, "")
        assert forward["received"] > len(TEXT)
        assert forward["sent"] > 0
        headings, row = project.shell("rdoctl ports").stdout.decode().splitlines()
        assert headings.startswith("HERE")
        assert row.startswith(f"localhost:{here} ")
    assert page(here) == b""
    assert wait_until(lambda: "refused" in ports(project)[0]["failure"].lower(), TIMEOUT)


def ports(project: Project) -> list[dict[str, Any]]:
    """The output of `rdoctl ports --json`."""
    result = project.shell("rdoctl ports --json")
    assert (result.returncode, result.stderr) == (0, b"")
    return list(json.loads(result.stdout))
