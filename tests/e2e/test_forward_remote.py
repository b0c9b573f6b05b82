"""Tests for ports of this machine on the target, with -R like ssh's reverse forwards."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.project import TIMEOUT, Project, local_project, ssh_project
from tests.e2e.test_forward import TEXT, listens, page, ports, web_server
from tests.leaks import wait_until
from tests.ssh_server import free_port
from tests.sshd import Sshd

pytestmark = pytest.mark.usefixtures("lent")

UNTIL_EOF = ("sh", "-c", "echo up; cat")


@pytest.mark.both_clients
def test_a_port_of_this_machine_is_there_while_the_command_runs(project: Project) -> None:
    with web_server(project.local) as port:
        there = free_port()
        with project.start("-R", f"{there}:localhost:{port}", *UNTIL_EOF) as command:
            command.expect_up()
            assert page(there) == TEXT
            (forward,) = ports(project)
            assert (forward["kind"], forward["local"]) == ("remote", f"localhost:{port}")
            assert forward["remote"].endswith(f"devbox:{there}")
            assert command.communicate() == (b"", b"")
        assert wait_until(lambda: not listens(there), TIMEOUT)
        assert ports(project) == []


def test_it_listens_on_the_loopback_addresses_of_both_families(project: Project) -> None:
    with web_server(project.local) as port:
        there = free_port()
        with project.start(f"-R{there}:{port}", *UNTIL_EOF) as command:
            command.expect_up()
            for host in ("127.0.0.1", "::1"):
                socket.create_connection((host, there), TIMEOUT).close()
            with pytest.raises(OSError, match="refused"):
                socket.create_connection(("127.0.0.2", there), TIMEOUT)


def test_for_port_0_the_target_chooses_one_and_the_line_names_it(project: Project) -> None:
    with web_server(project.local) as port:
        with project.start("-R", f"0:{port}", *UNTIL_EOF) as command:
            command.expect_up()
            _, said = command.communicate()
        assert re.fullmatch(rf"rdo: (.*@)?devbox:\d+ -> localhost:{port}\n", said.decode())


def test_commands_that_request_the_same_remote_port_share_it(project: Project) -> None:
    with web_server(project.local) as port:
        there = free_port()
        words = ("-R", f"{there}:{port}", *UNTIL_EOF)
        with project.start(*words) as first, project.start(*words) as second:
            first.expect_up()
            second.expect_up()
            first.communicate()
            assert page(there) == TEXT
            second.communicate()
        assert wait_until(lambda: not listens(there), TIMEOUT)
        assert project.run("-R", f"{there}:{port}", "true").stderr == b""


def test_a_local_socket_is_forwarded_to_a_remote_one(project: Project, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as client:
        listening.bind(str(here))
        listening.listen()
        with project.start("-R", f"{there}:{here}", *UNTIL_EOF) as command:
            command.expect_up()
            client.settimeout(TIMEOUT)
            client.connect(str(there))
            server, _ = listening.accept()
            with server:
                server.sendall(b"hello")
                assert client.recv(100) == b"hello"


def test_without_a_local_listener_the_other_side_sees_the_end(project: Project) -> None:
    there, nobody = free_port(), free_port()
    with project.start("-R", f"{there}:{nobody}", *UNTIL_EOF) as command:
        command.expect_up()
        with socket.create_connection(("127.0.0.1", there), TIMEOUT) as connection:
            assert connection.recv(1) == b""
        assert wait_until(lambda: ports(project)[0]["failure"] == "connection refused", TIMEOUT)


def test_if_a_remote_port_is_in_use_no_command_is_started(project: Project) -> None:
    with socket.socket() as taken:  # otherwise, sshd would listen only on ::1
        port = free_port()
        taken.bind(("127.0.0.1", port))
        result = project.run("-R", f"{port}:1", "touch", "started")
    assert result.returncode == 255
    line = (
        rf"rdo: `.*` does not listen on `{port}`: it is in use there, or .*\(AllowTcpForwarding\); choose another .*\n"
    )
    assert re.fullmatch(line, result.stderr.decode())
    assert not (project.remote / "started").exists()


def test_for_a_server_that_permits_only_localhost_that_is_requested(
    own_sshd: Callable[..., Sshd], tmp_path: Path, runtime: dict[str, str]
) -> None:
    there = free_port()
    server = own_sshd(f"PermitListen localhost:{there}")
    server.start()
    project = ssh_project(tmp_path, runtime, server)
    with web_server(project.local) as port, project.start("-R", f"{there}:{port}", *UNTIL_EOF) as command:
        command.expect_up()
        assert page(there) == TEXT


@pytest.mark.parametrize("option", ["AllowTcpForwarding local", "AllowTcpForwarding no", "DisableForwarding yes"])
def test_if_the_server_forbids_it_no_command_is_started(
    own_sshd: Callable[..., Sshd], tmp_path: Path, runtime: dict[str, str], option: str
) -> None:
    server = own_sshd(option)
    server.start()
    project = ssh_project(tmp_path, runtime, server)
    result = project.run("-R", f"{free_port()}:1", "touch", "started")
    assert result.returncode == 255
    assert b"does not listen on `" in result.stderr
    assert result.stderr.endswith(b"`; have its sshd_config allow it (AllowTcpForwarding, PermitListen)\n")
    assert result.stderr.count(b"\n") == 1
    assert not (project.remote / "started").exists()
    assert project.run("true").returncode == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-R", "http"), "rdo: `-R http` has `http` where a port should be; "),
        (("-R", "0"), "rdo: `-R 0` names no port of this machine, as `0:3000` does; "),
        (("-R", "0.0.0.0:8080:db:80"), "rdo: `-R 0.0.0.0:8080:db:80` would open the port to other machines: "),
    ],
)
def test_with_an_invalid_reverse_forward_no_command_is_started(
    project: Project, words: tuple[str, ...], says: str
) -> None:
    result = project.run(*words, "touch", "started")
    assert result.returncode == 255
    assert result.stderr.decode().startswith(says)
    assert not (project.remote / "started").exists()


def test_without_ssh_there_is_no_reverse_forward(tmp_path: Path, runtime: dict[str, str]) -> None:
    result = local_project(tmp_path, runtime).run("-R", "4000", "true")
    assert (result.returncode, result.stderr) == (
        255,
        b"rdo: `local` cannot listen on `4000`: only ssh and vagrant have reverse forwards; "
        b"a port of this machine is there anyway\n",
    )


def test_a_remote_port_that_is_reserved_for_root_is_reported_as_such(
    own_sshd: Callable[..., Sshd], tmp_path: Path, runtime: dict[str, str]
) -> None:
    server = own_sshd("AllowTcpForwarding no")  # which replies as it does to users other than root
    server.start()
    result = ssh_project(tmp_path, runtime, server).run("-R", "82:1", "true")
    hint = b"; only root may have a port below 1024 there; choose another, as in `8080:localhost:80`\n"
    assert (result.returncode, result.stderr.endswith(hint)) == (255, True), result.stderr
