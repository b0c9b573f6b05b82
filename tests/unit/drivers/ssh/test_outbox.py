"""Tests for what is sent over an SSH connection, in which order, and what is held back, over a pair of sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from functools import partial
from typing import cast

import pytest
from paramiko.message import Message

from rdo.drivers.ssh import outbox
from rdo.drivers.ssh.monitored_stream import MonitoredStream
from rdo.drivers.ssh.outbox import HELD_LIMIT, SMALL, MessageOutbox
from rdo.drivers.ssh.packet_content import OutgoingData
from rdo.drivers.ssh.paramiko_adapter import KeyExchange, PacketizerAdapter
from rdo.errors import LinkLost
from tests.leaks import wait_until

TIMEOUT = 20.0


class Sender:
    """A sender that records which messages are sent together."""

    def __init__(self) -> None:
        self.sent: list[list[bytes | memoryview]] = []
        self.fault: Exception | None = None

    def send_all(self, messages: list[Message | OutgoingData]) -> None:
        if self.fault is not None:
            raise self.fault
        self.sent.append([each.content if isinstance(each, OutgoingData) else each.asbytes() for each in messages])


class Exchange:
    """The part of paramiko's Transport that is used."""

    def __init__(self, sender: Sender) -> None:
        self.active = True
        self.clear_to_send_lock = threading.Lock()
        self.clear_to_send = threading.Event()
        self.clear_to_send.set()
        self.packetizer = self
        self.sender = sender


class Case:
    def __init__(self) -> None:
        self.sender = Sender()
        self.exchange = Exchange(self.sender)
        self.errors: list[Exception] = []
        self.outbox = MessageOutbox(cast(KeyExchange, self.exchange), self._lost)

    def _lost(self, error: Exception) -> LinkLost:
        self.errors.append(error)
        return LinkLost("the connection is lost")

    def hold(self, content: bytes, *, is_over: bool = False) -> None:
        self.outbox.hold(OutgoingData(1, content, 32768), lambda: is_over)


@pytest.fixture
def case() -> Case:
    return Case()


def test_held_messages_are_sent_before_the_next_one(case: Case) -> None:
    case.hold(b"a")
    case.hold(b"b")
    assert case.sender.sent == []
    case.outbox.send(Message(b"c"))
    assert case.sender.sent == [[b"a", b"b", b"c"]]


def test_held_messages_are_sent_once_by_a_flush(case: Case) -> None:
    case.hold(b"a")
    case.outbox.flush()
    case.outbox.flush()
    assert case.sender.sent == [[b"a"]]


def test_a_large_piece_or_many_small_ones_do_not_wait(case: Case) -> None:
    case.hold(bytes(SMALL + 1))
    assert case.sender.sent == [[bytes(SMALL + 1)]]
    for _ in range(HELD_LIMIT + 1):
        case.hold(b"a")
    assert case.sender.sent[1:] == [[b"a"] * (HELD_LIMIT + 1)]


def test_nothing_is_sent_after_a_close(case: Case) -> None:
    case.hold(b"late", is_over=True)
    case.outbox.send(Message(b"late, too"), unless=lambda: True)
    assert case.sender.sent == []


def test_replies_are_assigned_to_the_requests_in_order(case: Case) -> None:
    answers: list[tuple[str, bytes | None]] = []

    def note(name: str, body: bytes | None) -> None:
        answers.append((name, body))

    for name in ("one", "two", "three"):
        case.outbox.send(Message(b"ask"), partial(note, name))
    case.outbox.requests.answer(b"yes")
    case.outbox.requests.answer(None)
    case.outbox.requests.lose()
    case.outbox.requests.answer(b"to no request")
    assert answers == [("one", b"yes"), ("two", None), ("three", None)]


def test_nothing_is_sent_during_a_key_exchange_and_all_of_it_afterwards(case: Case) -> None:
    case.exchange.clear_to_send.clear()
    case.hold(b"a")
    case.outbox.try_send(Message(b"in vain"), lambda body: None)
    sending = threading.Thread(target=case.outbox.send, args=(Message(b"b"),))
    sending.start()
    assert case.sender.sent == []
    case.exchange.clear_to_send.set()
    sending.join(TIMEOUT)
    assert case.sender.sent == [[b"a", b"b"]]


def test_an_endless_key_exchange_loses_the_connection(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "EXCHANGE_TIMEOUT", 0.01)
    case.exchange.clear_to_send.clear()
    with pytest.raises(LinkLost):
        case.outbox.send(Message(b"a"))
    assert str(case.errors[0]) == "it did not finish a key exchange that it began"


def test_a_request_does_not_wait_while_another_thread_sends(case: Case) -> None:
    with case.exchange.clear_to_send_lock:
        case.outbox.try_send(Message(b"in vain"), lambda body: None)
    case.outbox.try_send(Message(b"ask"), lambda body: None)
    assert case.sender.sent == [[b"ask"]]


def test_a_lost_connection_is_reported_by_a_send_but_not_by_a_flush(case: Case) -> None:
    case.sender.fault = OSError("broken")
    with pytest.raises(LinkLost):
        case.outbox.send(Message(b"a"))
    with pytest.raises(LinkLost):
        case.outbox.try_send(Message(b"a"), lambda body: None)
    case.hold(b"b")
    case.outbox.flush()
    case.exchange.active = False
    with pytest.raises(LinkLost):
        case.outbox.send(Message(b"c"))
    assert [type(error) for error in case.errors] == [OSError, OSError, OSError, EOFError]


@pytest.fixture
def connected() -> Iterator[tuple[MessageOutbox, PacketizerAdapter, socket.socket]]:
    near, far = socket.socketpair()
    with near, far:
        packetizer = PacketizerAdapter(MonitoredStream(near))
        exchange = Exchange(cast(Sender, packetizer.sender))
        yield MessageOutbox(cast(KeyExchange, exchange), lambda error: LinkLost(str(error))), packetizer, far


def test_many_threads_send_each_message_exactly_once(
    connected: tuple[MessageOutbox, PacketizerAdapter, socket.socket],
) -> None:
    box, _, far = connected
    receiver = PacketizerAdapter(MonitoredStream(far))
    threads = [
        threading.Thread(target=lambda first=first: [box.send(Message(bytes([80, first, n]))) for n in range(50)])
        for first in range(4)
    ]
    for thread in threads:
        thread.start()
    found = [receiver.receiver.read()[1].asbytes() for _ in range(200)]
    for thread in threads:
        thread.join(TIMEOUT)
    for first in range(4):
        assert [each[1] for each in found if each[0] == first] == list(range(50))
    assert wait_until(lambda: not any(thread.is_alive() for thread in threads), TIMEOUT)
