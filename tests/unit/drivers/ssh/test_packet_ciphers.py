"""Tests for what AES-GCM rejects, and for changes of its keys and counter."""

from __future__ import annotations

import itertools
import socket

import pytest
from cryptography.exceptions import InvalidTag
from paramiko.message import Message
from paramiko.ssh_exception import SSHException

from rdo.drivers.ssh.fields import Violation
from rdo.drivers.ssh.monitored_stream import MonitoredStream
from rdo.drivers.ssh.packet_content import PACKET_LIMIT, nonces
from rdo.drivers.ssh.paramiko_adapter import PacketizerAdapter
from tests.unit.drivers.ssh.packet_ends import IV, KEY, PLAIN, Ends, cipher


def test_a_modified_packet_is_rejected(ends: Ends) -> None:
    sender, receiver, far = ends
    sender.sender.send(Message(b"\x62hello"))
    stream = bytearray(far.recv(4096))
    stream[10] ^= 1
    here, there = socket.socketpair()
    with here, there:
        receiver = PacketizerAdapter(MonitoredStream(there))
        receiver.set_inbound_cipher(**cipher("iv_in"))
        here.sendall(stream)
        with pytest.raises(InvalidTag):
            receiver.receiver.read()


@pytest.mark.parametrize("length", [0, 11, PACKET_LIMIT + 1, 2**32 - 1])
def test_a_packet_of_an_impossible_length_is_rejected(length: int) -> None:
    here, there = socket.socketpair()
    with here, there:
        receiver = PacketizerAdapter(MonitoredStream(there))
        receiver.set_inbound_cipher(**cipher("iv_in"))
        here.sendall(length.to_bytes(4, "big"))
        with pytest.raises(Violation):
            receiver.receiver.read()


def test_new_keys_apply_from_their_first_packet(ends: Ends) -> None:
    sender, receiver, _ = ends
    for key in (KEY, b"x" * 16, b"y" * 16):
        sender.set_outbound_cipher(**cipher("iv_out", key))
        receiver.set_inbound_cipher(**cipher("iv_in", key))
        for _ in range(3):
            sender.sender.send(Message(b"\x50x"))
            assert receiver.receiver.read()[0] == 0x50


def test_a_change_to_another_kind_of_cipher_is_refused(ends: Ends) -> None:
    sender, receiver, _ = ends
    with pytest.raises(SSHException):
        sender.set_outbound_cipher(**PLAIN, iv_out=None)
    with pytest.raises(SSHException):
        receiver.set_inbound_cipher(**PLAIN, iv_in=None)


def test_the_counter_of_the_vector_wraps_around() -> None:
    assert [nonce[4:].hex() for nonce in itertools.islice(nonces(IV), 3)] == ["f" * 15 + "e", "f" * 16, "0" * 16]
