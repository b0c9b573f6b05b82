"""Tests for LocalForward, RemoteForward and DynamicForward of the user's ssh configuration."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e.project import TIMEOUT, Project, ssh_config_text, ssh_project
from tests.e2e.reached import Reached, over_ssh
from tests.e2e.test_forward import TEXT, listens, page, ports, web_server
from tests.leaks import wait_until
from tests.ssh_server import free_port
from tests.sshd import Sshd

Configured = Callable[..., Project]


@pytest.fixture
def configured(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> Iterator[Configured]:
    """A project whose ssh configuration has these lines."""

    def make(*lines: str) -> Project:
        project = ssh_project(tmp_path, runtime, sshd)
        sshd.ssh_config(extra=lines)
        return project

    yield make
    sshd.ssh_config()


def test_ports_of_each_kind_are_held_as_long_as_the_target_is(configured: Configured, tmp_path: Path) -> None:
    with web_server(tmp_path) as port:
        here, there, proxy = free_port(), free_port(), free_port()
        project = configured(
            f"LocalForward {here} localhost:{port}",
            f"RemoteForward {there} localhost:{port}",
            f"DynamicForward {proxy}",
        )
        assert project.run("true").stderr == b""
        assert page(here) == page(there) == TEXT
        assert listens(proxy)
        assert [each["kind"] for each in ports(project)] == ["local", "dynamic", "remote"]
        assert project.run("true").stderr == b""
        assert len(ports(project)) == 3
        project.shell("rdoctl stop")
        assert wait_until(lambda: not any(map(listens, (here, there, proxy))), TIMEOUT)
        assert project.run("true").stderr == b""
        assert page(here) == page(there) == TEXT


def test_a_failing_forward_is_reported_once_and_the_command_runs(configured: Configured) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        port = taken.getsockname()[1]
        project = configured(f"LocalForward {port} localhost:80")
        first, second = project.run("echo", "ran"), project.run("true")
    line = f"rdo: cannot listen on `{port}`: the port is in use; LocalForward of your ssh configuration asks for it\n"
    assert (first.returncode, first.stdout, first.stderr.decode()) == (0, b"ran\n", line)
    assert second.stderr == b""


def test_if_all_are_required_no_command_is_started_without_one(configured: Configured) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        port = taken.getsockname()[1]
        project = configured(f"LocalForward {port} localhost:80", "ExitOnForwardFailure yes")
        for _ in range(2):
            result = project.run("touch", "started")
            assert (result.returncode, result.stderr.count(b"\n")) == (255, 1)
            assert f"cannot listen on `{port}`".encode() in result.stderr
        assert not (project.remote / "started").exists()
    assert project.run("true").stderr == b""
    assert listens(port)


def test_after_a_failure_with_all_required_none_is_held_and_the_config_is_read_again(configured: Configured) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        first, port = free_port(), taken.getsockname()[1]
        forwards = f"LocalForward {first} localhost:80", f"LocalForward {port} localhost:80"
        project = configured(*forwards, "ExitOnForwardFailure yes")
        assert project.run("true").returncode == 255
        assert wait_until(lambda: not listens(first), TIMEOUT)
        file = Path(project.environment["RDO_SSH_CONFIG"])
        file.write_text(file.read_text().replace("ExitOnForwardFailure yes", ""))
        assert project.run("true").returncode == 0
        assert listens(first)


def test_they_are_cleared_as_by_ssh(configured: Configured) -> None:
    project = configured(f"LocalForward {free_port()} localhost:80", "ClearAllForwardings yes")
    assert project.run("true").stderr == b""
    assert ports(project) == []


def test_gateway_ports_is_used(configured: Configured, tmp_path: Path) -> None:
    with web_server(tmp_path) as port:
        here = free_port()
        project = configured(f"LocalForward {here} localhost:{port}", "GatewayPorts yes")
        assert project.run("true").stderr == b""
        socket.create_connection(("127.0.0.2", here), TIMEOUT).close()


def test_a_socket_has_the_permissions_and_the_path_as_with_ssh(configured: Configured, tmp_path: Path) -> None:
    path = tmp_path / "here.sock"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
    project = configured(f"LocalForward {path} /there.sock", "StreamLocalBindMask 0117", "StreamLocalBindUnlink yes")
    assert project.run("true").stderr == b""
    assert path.stat().st_mode & 0o777 == 0o660


def test_the_same_target_under_another_name_adds_its_own_forwards(configured: Configured) -> None:
    one, other = free_port(), free_port()
    project = configured(
        f"LocalForward {one} localhost:80", "Host devbox alias", f"  LocalForward {other} localhost:80"
    )
    assert project.run("true").stderr == b""
    assert listens(one)
    assert listens(other)
    project.configure(ssh_config_text(project).replace('"devbox"', '"alias"'))
    assert project.run("true").stderr == b""
    assert len(project.shell("rdoctl status").stdout.splitlines()) == 3, "headings, one target, one master"


@pytest.fixture
def cut_off(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> Iterator[Callable[..., Reached]]:
    """A project over a line that can be cut, whose ssh configuration has these lines."""
    with ExitStack() as stack:
        yield lambda *lines: over_ssh(tmp_path, runtime, sshd, stack, lines)


def test_they_are_restored_after_the_connection_was_lost(cut_off: Callable[..., Reached], tmp_path: Path) -> None:
    with web_server(tmp_path) as port:
        here, there = free_port(), free_port()
        reached = cut_off(f"LocalForward {here} localhost:{port}", f"RemoteForward {there} localhost:{port}")
        assert reached.project.run("true").stderr == b""
        assert page(here) == page(there) == TEXT
        reached.line.cut()
        assert wait_until(lambda: not listens(there), TIMEOUT)
        assert reached.project.run("true").stderr == b""
        assert page(here) == page(there) == TEXT


def by_proxy(proxy: int, port: int) -> tuple[int, bytes]:
    """The status and page that curl gets through a proxy on the target, which is this machine."""
    curl = shutil.which("curl") or require("curl", "it is not installed")
    words = [str(curl), "-s", "-4", "--socks5-hostname", f"127.0.0.1:{proxy}", f"http://localhost:{port}/page"]
    done = subprocess.run(words, capture_output=True, timeout=TIMEOUT, check=False)
    return done.returncode, done.stdout


def test_a_remote_forward_without_a_host_is_a_proxy_for_the_target(configured: Configured, tmp_path: Path) -> None:
    with web_server(tmp_path) as port, web_server(tmp_path) as other:
        proxy = free_port()
        project = configured(f"RemoteForward {proxy}", f"PermitRemoteOpen localhost:{port}")
        assert project.run("true").stderr == b""
        assert by_proxy(proxy, port) == (0, TEXT)
        assert by_proxy(proxy, other)[0] != 0
        (forward,) = ports(project)
        assert forward["local"] == "this machine (SOCKS)"
        assert wait_until(lambda: "PermitRemoteOpen" in ports(project)[0]["failure"], TIMEOUT)
        with socket.create_connection(("127.0.0.1", proxy), TIMEOUT) as silent:
            silent.sendall(b"\5")
            project.shell("rdoctl stop")
            assert silent.recv(1) == b""


def test_a_proxy_for_the_target_reports_what_it_cannot_reach(configured: Configured, tmp_path: Path) -> None:
    with web_server(tmp_path) as port:
        proxy = free_port()
        project = configured(f"RemoteForward {proxy}")
        assert project.run("true").stderr == b""
        assert by_proxy(proxy, free_port()) == (97, b""), "curl's for an answer of SOCKS"
        assert by_proxy(proxy, port) == (0, TEXT)
