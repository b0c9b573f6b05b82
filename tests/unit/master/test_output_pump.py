"""Tests for the output of a command whose channel needs no reader."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from typing import cast

import pytest

from rdo.drivers.base import STDOUT, Channel
from rdo.drivers.target_stream import Sink
from rdo.errors import LinkLost
from rdo.ipc import protocol
from rdo.master.client_connection import ClientConnection
from rdo.master.output_pump import OutputPump
from rdo.pool.shell import Shell


class ShortCommand:
    """The channel of a command that prints something and ends at once."""

    ended = True

    def watch(self, sink: Sink, readable: Callable[[bool], None]) -> bool:
        assert sink(STDOUT, b"hello")
        readable(True)
        return True

    def exit_status(self) -> int:
        return 3


class ClosesItsOutput(ShortCommand):
    """The channel of a command that ends a while after its output."""

    def watch(self, sink: Sink, readable: Callable[[bool], None]) -> bool:
        assert sink(STDOUT, b"hello")
        assert sink(STDOUT, b"")
        readable(True)
        return True


class NoOwner:
    """The owner of a command for which nothing more is to be done."""

    def handle_mark(self, mark: str) -> None:
        raise AssertionError

    def end_writer(self) -> None:
        raise AssertionError

    def explain(self, error: LinkLost) -> LinkLost:
        raise AssertionError


class RecordingClient(ClientConnection):
    """A client that records whether the end was known when it was notified."""

    relay: OutputPump
    known = False

    def offer(self, kind: bytes, payload: bytes | memoryview) -> bool:
        if kind == protocol.EXIT:
            self.known = self.relay.ended.is_set()
        return super().offer(kind, payload)


OUTPUT, EXIT = (protocol.OUTPUT, b"hello"), (protocol.EXIT, b"\x03")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tell whether a client takes output at once")
@pytest.mark.parametrize(
    ("command", "sent"), [(ShortCommand, [OUTPUT, EXIT]), (ClosesItsOutput, [OUTPUT, (protocol.END, b""), EXIT])]
)
def test_the_end_is_known_before_the_client_is_notified(
    command: type[ShortCommand], sent: list[tuple[bytes, bytes]]
) -> None:
    """A client that has the status exits at once. By then, its command has ended, with everything that it left
    behind.
    """
    near, far = socket.socketpair()
    with near, far:
        client = RecordingClient(near)
        shell = Shell(cast(Channel, command()), "nonce", pty=False, plain=True)
        client.relay = OutputPump(client, shell, {}, NoOwner())
        client.relay.start()
        client.relay.wait()
        assert client.known
        frames = [(kind, bytes(payload)) for kind, payload in protocol.Decoder().receive(far.recv(4096))]
        assert frames == sent
