"""Tests for SSH packets with AES-GCM over a pair of sockets, however the data is split."""

from __future__ import annotations

import os
import socket
import threading

import pytest
from paramiko.common import MSG_CHANNEL_DATA
from paramiko.message import Message

from rdo.drivers.base import READ_SIZE
from rdo.drivers.ssh.fields import Violation
from rdo.drivers.ssh.monitored_stream import MonitoredStream
from rdo.drivers.ssh.packet_content import OutgoingData, channel_data
from rdo.drivers.ssh.paramiko_adapter import PacketizerAdapter
from rdo.drivers.target_stream import DELIVERY_LOCK
from tests.unit.drivers.ssh.packet_ends import Ends, cipher


def read_data(receiver: PacketizerAdapter, size: int) -> list[tuple[int, bytes]]:
    """Read this many bytes of channel data. Returns the channel and the data of each piece that is passed on."""
    found: list[tuple[int, bytes]] = []

    def take(kind: int, number: int, body: bytes | memoryview) -> bool:
        if kind == MSG_CHANNEL_DATA:
            found.append((number, bytes(body)))
        return kind == MSG_CHANNEL_DATA and sum(len(data) for _, data in found) < size

    receiver.receiver.handle = take
    receiver.receiver.read()
    return found


@pytest.mark.parametrize("size", [0, 1, 11, 12, 32768, 100_000])
def test_a_message_arrives_whole(size: int, ends: Ends) -> None:
    sender, receiver, _ = ends
    message = b"\x50" + os.urandom(size)
    threading.Thread(target=sender.sender.send, args=(Message(message),)).start()
    number, found = receiver.receiver.read()
    assert (number, found.asbytes()) == (0x50, message[1:])


@pytest.mark.parametrize("size", [1, 7, 1000, 4096, 100_000])
def test_input_is_sent_in_packets_of_the_size_that_the_server_accepts(size: int, ends: Ends) -> None:
    sender, receiver, _ = ends
    content = os.urandom(100_000 if size > 7 else 100)
    pieces = OutgoingData(5, memoryview(content), size).pieces()
    assert all(0 < len(piece) <= size for _, piece in pieces)
    threading.Thread(target=sender.sender.send, args=(OutgoingData(5, memoryview(content), size),)).start()
    found = read_data(receiver, len(content))
    assert {channel for channel, _ in found} == {5}
    assert b"".join(data for _, data in found) == content


def test_messages_sent_together_arrive_in_order(ends: Ends) -> None:
    sender, receiver, _ = ends
    sender.sender.send_all([OutgoingData(1, b"ab", 1), Message(b"\x50c"), OutgoingData(2, b"d", 100)])
    assert read_data(receiver, 2) == [(1, b"ab")]
    assert receiver.receiver.read()[0] == 0x50
    assert read_data(receiver, 1) == [(2, b"d")]


def test_received_data_of_a_channel_is_read_together_and_nothing_else_is(ends: Ends) -> None:
    sender, receiver, _ = ends
    for channel, content in ((5, b"a"), (5, b"b"), (6, b"c"), (6, b"d"), (5, b"e")):
        sender.sender.send(OutgoingData(channel, memoryview(content), 1))
    sender.sender.send(Message(b"\x62last"))
    assert read_data(receiver, 5) == [(5, b"ab"), (6, b"cd"), (5, b"e")]
    _, last = receiver.receiver.read()
    assert last.asbytes() == b"last"


def test_waiting_for_all_received_data_includes_that_of_several_channels(ends: Ends) -> None:
    sender, receiver, _ = ends
    waits = []

    def take(kind: int, number: int, body: bytes | memoryview) -> bool:
        waits.append((kind, number, DELIVERY_LOCK.locked()))
        return True

    receiver.receiver.handle = take
    last = Message(b"\x60" + (7).to_bytes(4, "big"))
    for messages in ([OutgoingData(5, b"alone", 10)], [OutgoingData(5, b"a", 10), OutgoingData(6, b"b", 10)]):
        sender.sender.send_all([*messages, last])
    sender.sender.send(Message(b"\x50not taken"))
    receiver.receiver.read()
    alone, first, second = (94, 5, False), (94, 5, True), (94, 6, True)
    other = (0x60, 7, False)
    assert waits == [alone, other, first, second, other]


def test_data_after_a_change_of_keys_is_read_with_the_new_keys(ends: Ends) -> None:
    sender, receiver, _ = ends
    sender.sender.send_all([OutgoingData(1, b"a", 1), Message(b"\x50new keys")])
    sender.set_outbound_cipher(**cipher("iv_out", b"x" * 16))
    sender.sender.send_all([OutgoingData(1, b"b", 1), OutgoingData(2, b"c", 1)])
    assert read_data(receiver, 1) == [(1, b"a")]
    assert receiver.receiver.read()[0] == 0x50
    receiver.set_inbound_cipher(**cipher("iv_in", b"x" * 16))
    assert read_data(receiver, 2) == [(1, b"b"), (2, b"c")]


def test_no_more_is_read_together_than_is_passed_on_at_a_time(ends: Ends) -> None:
    sender, receiver, _ = ends
    content = os.urandom(3 * READ_SIZE)
    thread = threading.Thread(target=sender.sender.send, args=(OutgoingData(5, memoryview(content), 32768),))
    thread.start()
    pieces = [data for _, data in read_data(receiver, len(content))]
    thread.join()
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= READ_SIZE


def test_packets_are_read_however_the_bytes_are_split(ends: Ends) -> None:
    sender, receiver, far = ends
    sender.sender.send(OutgoingData(1, memoryview(b"one, two, three"), 5))
    stream = far.recv(4096)
    here, there = socket.socketpair()
    with here, there:
        receiver = PacketizerAdapter(MonitoredStream(there))
        receiver.set_inbound_cipher(**cipher("iv_in"))
        trickle = threading.Thread(target=lambda: [here.send(stream[at : at + 1]) for at in range(len(stream))])
        trickle.start()
        found = read_data(receiver, len(b"one, two, three"))
        assert b"".join(data for _, data in found) == b"one, two, three"
        trickle.join()


@pytest.mark.parametrize("ours", [True, False], ids=["AES-GCM", "paramiko's"])
def test_messages_for_a_channel_may_be_taken(ours: bool, ends: Ends) -> None:
    sender, receiver, far = ends
    if not ours:
        near, far = socket.socketpair()
        sender, receiver = PacketizerAdapter(MonitoredStream(near)), PacketizerAdapter(MonitoredStream(far))
    taken = []

    def take(kind: int, number: int, body: bytes | memoryview) -> bool:
        if number == 5:
            taken.append((kind, bytes(body)))
        return number == 5

    receiver.receiver.handle = take
    five, six = (5).to_bytes(4, "big"), (6).to_bytes(4, "big")
    for message in (b"\x62" + five + b"asked", b"\x62" + six + b"left", b"\x50" + five + b"for no channel"):
        sender.sender.send(Message(message))
    for channel in (5, 6):
        sender.sender.send(OutgoingData(channel, memoryview(b"data"), 100))
    found = [receiver.receiver.read() for _ in range(3)]
    assert taken == [(0x62, b"asked"), (0x5E, b"data")]
    assert [kind for kind, _ in found] == [0x62, 0x50, 0x5E]
    assert found[0][1].asbytes() == six + b"left"
    if not ours:
        near.close()
        far.close()


def test_the_end_of_the_socket_is_reported(ends: Ends) -> None:
    _, receiver, far = ends
    far.shutdown(socket.SHUT_RDWR)
    with pytest.raises(EOFError):
        receiver.receiver.read()


def test_a_channel_message_that_claims_more_than_it_has_is_refused() -> None:
    with pytest.raises(Violation):
        channel_data(b"\4\x5e" + (1).to_bytes(4, "big") + (100).to_bytes(4, "big") + b"short")
