"""Tests for `rdoctl forward`: adding and removing ports of a connected target."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from rdo.ipc import protocol
from tests.e2e.project import TIMEOUT, Project, ssh_config_text, ssh_project, up
from tests.e2e.test_forward import TEXT, listens, page, ports, web_server
from tests.leaks import wait_until
from tests.ssh_server import free_port
from tests.sshd import Sshd


def test_a_port_is_added_to_a_target_that_is_connected_and_removed(project: Project) -> None:
    up(project)
    with web_server(project.remote) as port:
        here = free_port()
        added = project.shell(f"rdoctl forward add {here}:{port}")
        assert (added.returncode, added.stderr) == (0, b"")
        assert added.stdout.decode().startswith(f"localhost:{here} -> ")
        assert added.stdout.decode().endswith(f"devbox:{port}\n")
        assert page(here) == TEXT
        assert [each["local"] for each in ports(project)] == [f"localhost:{here}"]
        assert project.run("true").stderr == b""
        assert page(here) == TEXT, "it does not end with a command"
        removed = project.shell(f"rdoctl forward remove --target devbox {here}:{port}")
        assert removed.stdout.decode().startswith(f"removed localhost:{here} -> ")
        assert removed.stdout.decode().endswith(f"devbox:{port}\n")
        assert wait_until(lambda: not listens(here), TIMEOUT)


def test_a_port_of_the_config_is_removed_until_the_next_connection(project: Project) -> None:
    with web_server(project.remote) as port:
        project.configure(ssh_config_text(project, f'forward = ["{port}"]\n'))
        assert b"is in use here" in project.run("true").stderr
        assert page(port + 1) == TEXT
        assert project.shell(f"rdoctl forward remove {port}").returncode == 0
        assert project.run("true").stderr == b""
        assert not listens(port + 1)
        project.shell("rdoctl stop")
        assert b"is in use here" in project.run("true").stderr


@pytest.mark.usefixtures("lent")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("add http", "rdoctl: `http` has `http` where a port should be; "),
        ("add 0.0.0.0:80:80", "rdoctl: `0.0.0.0:80:80` would open the port to other machines: "),
        ("remove 4000", "rdoctl: `4000` is not forwarded from `"),
        ("add -p ci 4000", "rdoctl: the profile `ci` has no connection; "),
        ("add --target devbax 4000", "rdoctl: there is no connection to `devbax`; did you mean `"),
    ],
)
def test_a_change_that_is_not_possible_is_one_line(project: Project, words: str, says: str) -> None:
    project.configure(ssh_config_text(project, "[ci]\n"))
    up(project)
    result = project.shell(f"rdoctl forward {words}")
    assert (result.returncode, result.stdout) == (255, b"")
    assert result.stderr.decode().startswith(says)
    assert result.stderr.count(b"\n") == 1


def test_without_a_connection_nothing_can_be_added(project: Project) -> None:
    result = project.shell("rdoctl forward add 4000")
    assert result.returncode == 255
    assert result.stderr.startswith(b"rdoctl: this project has no connection; run a command first")


def test_of_several_targets_one_has_to_be_chosen(project: Project) -> None:
    project.configure(ssh_config_text(project, f'[other]\ndriver = "local"\ndirectory = "{project.remote}"\n'))
    assert project.run("true").returncode == project.run("-p", "other", "true").returncode == 0
    result = project.shell("rdoctl forward add 4000")
    assert result.stderr.startswith(b"rdoctl: several targets match: `")
    assert project.shell(f"rdoctl forward add -p default {free_port()}").returncode == 0
    added = project.shell("rdoctl forward add -p other 4000").stdout
    assert added == b"localhost:4000 -> local:4000 is there without a forward\n"


@pytest.mark.usefixtures("lent")
@pytest.mark.parametrize("question", [b"dance\0{}", b"forward\0{", b"forward\0[]", b"forward\0{}", b"\0", b"forward"])
def test_an_invalid_request_is_refused(project: Project, question: bytes) -> None:
    up(project)
    (path,) = {each["socket"] for each in json.loads(project.shell("rdoctl status --json").stdout)}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT)
        connection.connect(path)
        connection.sendall(protocol.frame(protocol.QUERY, question))
        (kind, payload), *_ = protocol.Decoder().receive(connection.recv(10_000))
    assert (kind, bytes(payload)[:10]) == (protocol.FAILED, b"a question")


def doctor(project: Project) -> str:
    """What `rdoctl doctor` reports about ports."""
    lines = project.shell("rdoctl doctor").stdout.decode().splitlines()
    return next((" ".join(line.split()) for line in lines if " ports: " in line), "")


def test_doctor_tries_sockets_and_addresses_too(project: Project) -> None:
    there, here = project.remote / "there.sock", free_port()
    project.configure(ssh_config_text(project, f'forward = ["[::1]:{here}:localhost:1", "unix:{there}"]\n'))
    said = doctor(project)
    assert f"[::1]:{here} -> devbox:1 (now: " in said
    assert f".sock -> devbox:{there} (now: " in said


def test_doctor_tries_each_port(project: Project) -> None:
    assert doctor(project) == ""
    with web_server(project.remote) as port:
        here = free_port()
        project.configure(ssh_config_text(project, f'forward = ["{here}:{port}"]\n'))
        assert doctor(project).startswith(f"ok ports: localhost:{here} -> ")
        assert "(now: " not in doctor(project)
    assert doctor(project).endswith("(now: connection refused)")
    project.shell("rdoctl stop")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", here))
        taken.listen()
        project.configure(ssh_config_text(project, f'forward = ["{here}:{port}!"]\n'))
        assert doctor(project).startswith(f"failed ports: `{here}:{port}!` is not forwarded: the port is in use; ")


def test_doctor_names_a_server_that_forbids_forwards(
    own_sshd: Callable[..., Sshd], tmp_path: Path, runtime: dict[str, str]
) -> None:
    server = own_sshd("AllowTcpForwarding no")
    server.start()
    project = ssh_project(tmp_path, runtime, server, f'forward = ["{free_port()}:80"]\n')
    said = doctor(project)
    assert said.startswith("failed ports: ")
    assert said.endswith(
        "devbox:80: the SSH server forbids it (AllowTcpForwarding, PermitOpen); change its sshd_config"
    )
