"""Tests for hosts that are reached through another host, or through a program."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from rdo.errors import ConnectError
from tests.connecting import connected
from tests.integration.conftest import Connect, MakeServer
from tests.ssh_client import ScriptedCaller, driver, output
from tests.ssh_server import SshServer

HANDS_OVER = """
import socket, sys
there = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
socket.send_fds(socket.socket(fileno=1), [b"x"], [there.fileno()])
"""


def test_a_host_behind_another_is_reached_through_it(
    server: SshServer, own_server: MakeServer, connect: Connect, tmp_path: Path
) -> None:
    with own_server() as hop:
        both = tmp_path / "both"
        lines = hop.ssh_config("hop").read_text()
        both.write_text(lines + server.ssh_config(extra=["ProxyJump hop"]).read_text())
        connection = connect(both)
        assert output(connection, "head -c 300000 /dev/zero | wc -c") == (0, "300000\n")
        assert hop.logins == 1
        connection.close()
        assert threading.active_count() == 1


def test_a_chain_of_hosts_is_followed_in_order(
    server: SshServer, own_server: MakeServer, connect: Connect, tmp_path: Path
) -> None:
    with own_server() as first, own_server() as second:
        every = tmp_path / "every"
        configs = [first.ssh_config("first"), second.ssh_config("second"), server.ssh_config()]
        every.write_text("".join(path.read_text() for path in configs))
        assert output(connect(every, jump="first,second"), "echo in") == (0, "in\n")
        assert first.logins == 1
        assert second.logins == 1


def test_a_jump_host_that_cannot_reach_the_host_is_named(server: SshServer, closed_port: int) -> None:
    config = server.ssh_config("hop")
    with pytest.raises(ConnectError, match=r"`[\w-]+@hop:\d+` cannot reach `127.0.0.1` port \d+: connect"):
        connected(driver(config, "127.0.0.1", port=closed_port, jump="hop"), ScriptedCaller())


def test_a_cycle_of_jump_hosts_is_detected(tmp_path: Path) -> None:
    config = tmp_path / "circle"
    config.write_text("Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n")
    with pytest.raises(ConnectError, match="form a loop"):
        connected(driver(config, "a"), ScriptedCaller())


def test_a_proxy_command_carries_the_connection_and_ends_with_it(
    server: SshServer, own_server: MakeServer, connect: Connect, tmp_path: Path
) -> None:
    with own_server() as hop:
        proxy = f"ProxyCommand ssh -F {hop.ssh_config('hop')} -W %h:%p hop"
        connection = connect(server.ssh_config(extra=[proxy]))
        assert output(connection, "head -c 300000 /dev/zero | wc -c") == (0, "300000\n")


def test_a_proxy_command_that_fails_is_quoted_with_its_last_line(server: SshServer) -> None:
    config = server.ssh_config(extra=["ProxyCommand sh -c 'echo no way >&2; exit 3'"])
    with pytest.raises(ConnectError, match=r"ProxyCommand `sh -c .*`, status 3, no way"):
        connected(driver(config), ScriptedCaller())


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("sleep 60", r"it sent no banner within 1 s \(ProxyCommand `sleep 60`\); check that "),
        (
            "sh -c 'echo HTTP/1.1 400; sleep 60'",
            r"it sent this instead of an SSH version: `HTTP/1.1 400` \(ProxyCommand ",
        ),
    ],
    ids=["silence", "another protocol"],
)
def test_what_came_through_a_proxy_command_is_reported(server: SshServer, command: str, reason: str) -> None:
    config = server.ssh_config(extra=[f"ProxyCommand {command}", "ConnectTimeout 1"])
    with pytest.raises(ConnectError, match=reason):
        connected(driver(config), ScriptedCaller())


def test_a_proxy_command_that_was_killed_is_reported_as_such(server: SshServer) -> None:
    config = server.ssh_config(extra=["ProxyCommand sh -c 'kill -9 $$'"])
    with pytest.raises(ConnectError, match=r"ProxyCommand `sh -c .*`, signal 9$"):
        connected(driver(config), ScriptedCaller())


def test_a_proxy_command_may_pass_its_connection(server: SshServer, connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "proxy.py").write_text(HANDS_OVER)
    proxy = f"ProxyCommand {sys.executable} {tmp_path / 'proxy.py'} %p"
    connection = connect(server.ssh_config(extra=[proxy, "ProxyUseFdpass yes"], name="fdpass"))
    assert output(connection, "head -c 300000 /dev/zero | wc -c") == (0, "300000\n")


def test_a_proxy_command_that_passes_no_connection_is_named(server: SshServer) -> None:
    config = server.ssh_config(extra=["ProxyCommand sh -c 'echo no way >&2'", "ProxyUseFdpass yes"], name="fdpass")
    with pytest.raises(ConnectError, match=r"passed no connection \(ProxyUseFdpass\): ProxyCommand .*no way"):
        connected(driver(config), ScriptedCaller())
