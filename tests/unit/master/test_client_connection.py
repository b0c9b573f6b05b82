"""Tests for frames that are sent only if nobody has to wait for them."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from rdo.drivers.base import READ_SIZE
from rdo.errors import RdoError
from rdo.ipc import protocol
from rdo.master.client_connection import ClientConnection, ClientGone
from rdo.master.listener import SEND_BUFFER

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no other system tells how much room there is")

TIMEOUT = 10.0
"""Seconds for something that should arrive at once."""

Ends = tuple[ClientConnection, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """The master's side of a connection, and the client's end."""
    near, far = socket.socketpair()
    with near, far:
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        near.settimeout(TIMEOUT)  # a send that has to wait fails
        far.settimeout(TIMEOUT)
        yield ClientConnection(near), far


def test_whole_frames_are_offered_until_a_client_that_does_not_read_is_full(ends: Ends) -> None:
    connection, client = ends
    payload = bytes(READ_SIZE)
    sent = 0
    while connection.offer(protocol.OUTPUT, payload):
        sent += 1
    assert sent > 0
    decoder = protocol.Decoder()
    whole = sent * len(payload)
    while whole:
        whole -= sum(len(piece) for _, piece in decoder.receive(client.recv(READ_SIZE)))
    assert decoder.left == 0
    assert connection.offer(protocol.OUTPUT, payload)


def test_nothing_is_offered_while_another_thread_sends(ends: Ends) -> None:
    connection, _ = ends
    with connection._sending:
        assert not connection.offer(protocol.OUTPUT, b"early")
    assert connection.offer(protocol.OUTPUT, b"in turn")


def test_an_offer_to_a_client_that_is_gone_reports_it(ends: Ends) -> None:
    connection, client = ends
    client.close()
    with pytest.raises(ClientGone):
        connection.offer(protocol.OUTPUT, b"data")


def test_whether_a_client_has_gone_is_known_while_another_thread_waits_for_it(ends: Ends) -> None:
    connection, client = ends
    waiting = threading.Thread(target=connection.await_frame, args=(TIMEOUT,))
    waiting.start()
    for _ in range(100):
        assert not connection.has_gone
        time.sleep(0.001)
    client.close()
    waiting.join(TIMEOUT)
    assert connection.has_gone


def test_the_final_frame_reaches_a_client_that_has_not_read_for_a_while(ends: Ends) -> None:
    connection, client = ends
    while connection.offer(protocol.OUTPUT, bytes(READ_SIZE // 8)):
        pass
    connection._connection.settimeout(None)  # as while a command runs
    connection.break_off(RdoError("the command was ended"))
    assert last_failure(client) == "the command was ended"


def last_failure(client: socket.socket) -> str:
    """The last frame, which has to be a failure."""
    decoder = protocol.Decoder()
    frames: list[protocol.Frame] = []
    while data := client.recv(READ_SIZE):
        frames += decoder.receive(data)
    kind, payload = frames[-1]
    assert kind == protocol.FAILED
    return protocol.decode_failure(bytes(payload)).what


def test_nothing_follows_the_final_frame(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    connection, client = ends

    def send() -> None:
        with contextlib.suppress(ClientGone):
            connection.send(protocol.OUTPUT, b"late")

    later = threading.Thread(target=send)
    shut_down = connection._shut_down

    def shut_down_late() -> None:
        later.start()
        later.join(0.05)
        shut_down()

    monkeypatch.setattr(connection, "_shut_down", shut_down_late)
    connection.break_off(RdoError("the command was ended"))
    later.join(TIMEOUT)
    assert last_failure(client) == "the command was ended"


def test_the_final_frame_does_not_wait(ends: Ends) -> None:
    connection, client = ends
    with connection._sending:
        connection.break_off(RdoError("the command was ended"))
    assert client.recv(1) == b""


@pytest.mark.parametrize("size", [100, 10_000, READ_SIZE])
def test_it_does_not_wait_for_another_thread_that_waits_for_that_client(
    ends: Ends, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, client = ends
    connection._connection.settimeout(None)
    waits = threading.Event()
    await_room = connection._await_room
    monkeypatch.setattr(connection, "_await_room", lambda: waits.set() or await_room())

    def flood() -> None:
        with contextlib.suppress(ClientGone):
            while True:
                connection.send(protocol.OUTPUT, bytes(size))

    sender = threading.Thread(target=flood)
    sender.start()
    assert waits.wait(TIMEOUT)
    connection.break_off(RdoError("the command was ended"))
    sender.join(TIMEOUT)
    assert last_failure(client) == "the command was ended"


def test_a_send_waits_no_longer_than_the_connection_may(ends: Ends) -> None:
    connection, client = ends
    connection._connection.settimeout(0.01)
    while connection.offer(protocol.OUTPUT, bytes(READ_SIZE)):
        pass
    with pytest.raises(ClientGone):
        connection.send(protocol.OUTPUT, bytes(READ_SIZE))
    assert client.recv(1)
