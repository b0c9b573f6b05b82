"""Tests for connections that die: cut, frozen, restarted; and for those that are merely idle."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from rdo.drivers.silence import KeepaliveTimeouts
from rdo.drivers.ssh.connection import SshConnection
from rdo.drivers.ssh.connector import Connector
from rdo.drivers.ssh.query import Query
from rdo.drivers.ssh.query_request import SshQueryRequest
from rdo.errors import LinkLost
from tests.integration.conftest import Connect, MakeServer
from tests.leaks import wait_until
from tests.servers import sshd_alone
from tests.ssh_client import ScriptedCaller, output
from tests.ssh_server import SshServer

TIMEOUT = 10.0
HASTY = KeepaliveTimeouts(liveness=0.2, ping_timeout=0.5, ping_interval=0.1, dead_after=0.8, active_for=0.5)


@pytest.fixture
def server(own_server: MakeServer) -> SshServer:
    return own_server().start()


@pytest.fixture
def hasty(server: SshServer) -> Iterator[SshConnection]:
    """A connection that is given up after a second."""
    caller, config = ScriptedCaller(), str(server.ssh_config())
    options = Query(SshQueryRequest("devbox", ssh_config=config), caller.environment).options()
    connection = Connector(caller, config, None, HASTY).connect(options)
    yield connection
    connection.close()


@contextlib.contextmanager
def frozen(server: SshServer) -> Iterator[None]:
    """The link accepts data, but transmits nothing in either direction."""
    sessions = server.sessions()
    send_to_all(sessions, signal.SIGSTOP)
    yield
    send_to_all(sessions, signal.SIGCONT)


def send_to_all(sessions: list[int], number: int) -> None:
    """Send a signal to processes, some of which may have ended, such as those of an earlier test."""
    for pid in sessions:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def test_a_connection_that_was_just_heard_from_is_alive(server: SshServer, connect: Connect) -> None:
    assert connect(server.ssh_config()).keepalive.check_alive()


def test_an_idle_connection_is_probed_and_alive(hasty: SshConnection) -> None:
    time.sleep(HASTY.liveness * 2)
    assert hasty.keepalive.check_alive()


def test_a_frozen_connection_is_detected_in_time(server: SshServer, hasty: SshConnection) -> None:
    with frozen(server):
        time.sleep(HASTY.liveness * 2)
        started = time.monotonic()
        assert not hasty.keepalive.check_alive()
        assert time.monotonic() - started < HASTY.ping_timeout + 1.0


def test_a_cut_connection_is_detected_and_opens_nothing(server: SshServer, connect: Connect) -> None:
    connection = connect(server.ssh_config())
    server.cut()
    assert connection._transport.ended.wait(TIMEOUT)
    assert not connection.keepalive.check_alive()
    with pytest.raises(LinkLost):
        connection.open_channel("true", None)


def test_a_command_on_a_cut_link_ends_as_lost(server: SshServer, connect: Connect) -> None:
    channel = connect(server.ssh_config()).open_channel("echo started; exec cat", None)
    assert channel.read(TIMEOUT) is not None
    server.cut()
    assert channel.read(TIMEOUT) is None
    assert channel.ended
    with pytest.raises(LinkLost, match=r"the connection to `[\w-]+@devbox:\d+` is lost"):
        channel.exit_status()


def test_writing_on_a_cut_link_fails_as_lost(server: SshServer, connect: Connect) -> None:
    channel = connect(server.ssh_config()).open_channel("exec cat >/dev/null", None)
    channel.write(b"x")
    server.cut()
    assert channel._transport.ended.wait(TIMEOUT)
    with pytest.raises(LinkLost):
        channel.write(b"x")


@pytest.mark.parametrize("busy", ["reading", "writing"])
def test_a_command_on_a_frozen_link_ends_as_lost_within_the_bound(
    busy: str, server: SshServer, hasty: SshConnection
) -> None:
    channel = hasty.open_channel("exec cat", None)
    channel.write(b"x")
    assert channel.read(TIMEOUT) is not None
    with hasty.keepalive.in_use(), frozen(server):
        started = time.monotonic()
        if busy == "writing":
            with pytest.raises(LinkLost):
                channel.write(bytes(100_000_000))
        else:
            assert channel.read(TIMEOUT) is None
        assert time.monotonic() - started < HASTY.dead_after + 2.0
        with pytest.raises(LinkLost):
            channel.exit_status()
        hasty.close()


def test_a_silent_command_on_a_live_link_continues(hasty: SshConnection) -> None:
    with hasty.keepalive.in_use():
        assert output(hasty, f"sleep {HASTY.dead_after * 2}; echo done") == (0, "done\n")


def test_keepalives_of_the_server_are_answered(own_server: MakeServer, connect: Connect) -> None:
    channel = connect(own_server(keepalive=1).start().ssh_config()).open_channel("sleep 6; echo still here", None)
    chunk = channel.read(TIMEOUT)
    assert chunk
    assert chunk.data == b"still here\n"
    assert channel.exit_status() == 0


def test_a_connection_idle_for_long_is_not_dead_when_a_command_comes(hasty: SshConnection) -> None:
    time.sleep(HASTY.dead_after * 1.5)
    assert output(hasty, "echo in") == (0, "in\n")


def test_closing_ends_all_channels_and_threads_and_may_be_repeated(server: SshServer, connect: Connect) -> None:
    connection = connect(server.ssh_config())
    channel = connection.open_channel("exec cat", None)
    connection.close()
    connection.close()
    assert channel.read(TIMEOUT) is None
    with pytest.raises(LinkLost):
        channel.exit_status()
    assert threading.active_count() == 1


def test_an_idle_connection_wakes_no_thread(hasty: SshConnection) -> None:
    before = time.process_time()
    time.sleep(1.0)
    assert time.process_time() - before < 0.05


@sshd_alone("a log of what is asked")
def test_a_connection_in_use_is_probed_ahead_of_commands_but_not_for_ever(own_server: MakeServer) -> None:
    with own_server("LogLevel DEBUG1") as server:
        caller, config = ScriptedCaller(), str(server.ssh_config())
        options = Query(SshQueryRequest("devbox", ssh_config=config), caller.environment).options()
        times = HASTY._replace(liveness=TIMEOUT, active_for=0.5, idle_dead_after=TIMEOUT / 2)
        with contextlib.closing(Connector(caller, config, None, times).connect(options)) as connection:
            with connection.keepalive.in_use():
                assert wait_until(lambda: server.log.count("keepalive@openssh.com") >= 3, TIMEOUT)
            assert not connection.keepalive.is_doubtful
            assert wait_until(lambda: threading.active_count() == 2, TIMEOUT)  # besides us, the one that receives
            asked = server.log.count("keepalive@openssh.com")
            assert not wait_until(lambda: server.log.count("keepalive@openssh.com") > asked, 0.5)


def test_importing_the_driver_does_not_import_paramiko() -> None:
    script = "import sys, rdo.drivers.ssh.driver; sys.exit('paramiko' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


@sshd_alone("a log of what is asked")
def test_an_idle_connection_is_kept_alive_as_configured(own_server: MakeServer, connect: Connect) -> None:
    with own_server("LogLevel DEBUG1") as server:
        connect(server.ssh_config(extra=["ServerAliveInterval 1"]))
        assert wait_until(lambda: server.log.count("keepalive@openssh.com") >= 2, TIMEOUT)


def test_a_connection_with_a_silent_server_ends_as_configured(own_server: MakeServer, connect: Connect) -> None:
    with own_server() as server:
        lines = ["ServerAliveInterval 1", "ServerAliveCountMax 1"]
        connection = connect(server.ssh_config(extra=lines))
        sessions = server.sessions()
        for pid in sessions:
            os.kill(pid, signal.SIGSTOP)
        try:
            assert wait_until(connection._transport.ended.is_set, TIMEOUT)
        finally:
            for pid in sessions:
                os.kill(pid, signal.SIGCONT)
