"""Tests for reporting why a connection through a forward failed: to the command that requested it, or else in the
log.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.project import TIMEOUT, Project, ssh_config_text, ssh_project
from tests.e2e.test_forward import ports
from tests.leaks import wait_until
from tests.ssh_server import free_port
from tests.sshd import Sshd

UNTIL_EOF = ("sh", "-c", "echo up; cat")


def try_it(port: int, *, sent: bytes = b"") -> None:
    """Connect, and wait for the end."""
    with suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), TIMEOUT) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        while client.recv(100):
            pass


@pytest.fixture
def forbidding(own_sshd: Callable[..., Sshd], tmp_path: Path, runtime: dict[str, str]) -> Project:
    server = own_sshd("PermitOpen localhost:1")
    server.start()
    return ssh_project(tmp_path, runtime, server)


def test_each_reason_is_reported_to_a_command_once(forbidding: Project) -> None:
    closed, forbidden, proxy, there = (free_port() for _ in range(4))
    words = ("-L", f"{closed}:localhost:1", "-L", f"{forbidden}:localhost:2", "-D", str(proxy), "-R", f"{there}:1")
    with forbidding.start(*words, *UNTIL_EOF) as command:
        command.expect_up()
        for port in (closed, forbidden, there) * 2:
            try_it(port)
        try_it(proxy)  # a command that requested nothing gets no report
        try_it(proxy, sent=b"GET / HTTP/1.0")
        _, said = command.communicate()
    name = forbidding.shell("rdoctl status").stdout.decode().splitlines()[1].split()[0]
    assert sorted(said.decode().splitlines()) == sorted(
        [
            f"rdo: no connection by localhost:{closed} -> {name}:1: Connection refused",
            f"rdo: no connection by localhost:{forbidden} -> {name}:2: "
            "the SSH server forbids it (AllowTcpForwarding, PermitOpen)",
            f"rdo: no connection by {name}:{there} -> localhost:1: connection refused",
            f"rdo: no connection by localhost:{proxy} -> {name} (SOCKS): the client does not speak SOCKS",
        ]
    )


def test_a_forward_of_the_config_reports_it_in_the_log(forbidding: Project) -> None:
    here = free_port()
    forbidding.configure(ssh_config_text(forbidding, f'forward = ["{here}:2"]\n'))
    assert forbidding.run("true").returncode == 0
    for _ in range(2):
        try_it(here)
    assert wait_until(lambda: "PermitOpen" in ports(forbidding)[0]["failure"], TIMEOUT)
    log = forbidding.shell("rdoctl log").stdout.decode()
    assert log.count(f"no connection by localhost:{here} -> ") == 1
