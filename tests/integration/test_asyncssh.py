"""Tests with AsyncSSH as the server instead of OpenSSH: it changes keys and sends keepalives on request."""

from __future__ import annotations

import hashlib
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import asyncssh
import pytest

from rdo.config.forwards import Endpoint
from rdo.drivers.base import STDERR, STDOUT
from rdo.drivers.ssh.connection import SshConnection
from rdo.drivers.target_stream import IncomingStream
from rdo.errors import SetupError
from tests.async_server import AsyncServer
from tests.connecting import connected
from tests.leaks import wait_until
from tests.ssh_client import TIMEOUT, ScriptedCaller, drain, driver, feed, output, outputs_side_by_side

Reach = Callable[..., SshConnection]


@pytest.fixture
def reach(tmp_path: Path, caller: ScriptedCaller) -> Iterator[Reach]:
    """Starts a server with these options of asyncssh.listen, and connects to it."""
    with ExitStack() as stack:

        def begin(**options: object) -> SshConnection:
            server = stack.enter_context(AsyncServer(tmp_path, **options))
            connection = connected(driver(server.ssh_config), caller)
            stack.callback(connection.close)
            return connection

        yield begin


def test_streams_and_status_are_the_commands_own(reach: Reach) -> None:
    connection = reach()
    channel = connection.open_channel("cat; echo err >&2; exit 3", None)
    feed(channel, b"in")
    assert drain(channel) == {STDOUT: b"in", STDERR: b"err\n"}
    assert channel.exit_status() == 3
    assert output(connection, "kill -TERM $$") == (143, "")


@pytest.mark.parametrize("cipher", ["aes128-gcm@openssh.com", "aes256-ctr"])
def test_keys_can_change_while_both_directions_are_busy(cipher: str, reach: Reach) -> None:
    connection = reach(encryption_algs=[cipher], rekey_bytes=300_000)
    data = os.urandom(1000) * 5000
    channel = connection.open_channel("cat", None)
    writer = threading.Thread(target=feed, args=(channel, data))
    writer.start()
    assert hashlib.sha256(drain(channel)[STDOUT]).digest() == hashlib.sha256(data).digest()
    writer.join()
    assert output(connection, "echo again") == (0, "again\n")


def test_its_keepalives_are_answered(reach: Reach) -> None:
    connection = reach(keepalive_interval=0.1, keepalive_count_max=3)
    channel = connection.open_channel("sleep 1; echo still here", None)
    chunk = channel.read(TIMEOUT)
    assert chunk
    assert chunk.data == b"still here\n"
    time.sleep(1)  # without a channel
    assert output(connection, "echo again") == (0, "again\n")


def test_concurrent_commands_are_not_mixed_up(reach: Reach) -> None:
    connection = reach()
    found = outputs_side_by_side(connection, threads=20, turns=1)
    assert found == {key: (key // 10, f"{key}\n") for key in found}
    assert len(found) == 20


class PermitsPorts(asyncssh.SSHServer):
    """A server that allows its clients to request listeners, except on port 4."""

    def server_requested(self, listen_host: str, listen_port: int) -> bool:
        return listen_port != 4


def test_remote_forwards_work_between_keepalives_and_key_exchanges(reach: Reach) -> None:
    connection = reach(server_factory=PermitsPorts, rekey_bytes=300_000)
    for _ in range(3):
        connection.keepalive.check_alive()
        taken: queue.SimpleQueue[IncomingStream] = queue.SimpleQueue()
        listener = connection.listen(Endpoint(), taken.put)
        with pytest.raises(SetupError, match="does not listen on `4`"):
            connection.listen(Endpoint(port=4), taken.put)
        for host in ("127.0.0.1", "::1"):
            with socket.create_connection((host, listener.endpoint.port), TIMEOUT) as client:
                client.sendall(b"hello")
                stream = taken.get(timeout=TIMEOUT)
                stream.begin(lambda stream, data: False, lambda: None)
                assert wait_until(stream.read, TIMEOUT) == b"hello"
                stream.close()
        listener.close()
        assert output(connection, "head -c 400000 /dev/zero | wc -c")[0] == 0
