"""What rdo uses of paramiko that paramiko does not document: it is there in the installed version, it is listed, and it
is used in two modules. And what paramiko would offer by itself: certificates of hosts, which it checks in no way.
"""

from __future__ import annotations

import ast
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko.packet
import paramiko.transport
import pytest

import rdo.drivers.ssh
from rdo.drivers.ssh import kex_offer
from rdo.drivers.ssh.algorithms import (
    CERTIFICATE,
    CIPHERS,
    HOST_KEYS,
    KEY_EXCHANGES,
    MACS,
    SIGNATURES,
    Algorithms,
    offer,
)
from rdo.drivers.ssh.keepalive import MonitoredStream
from rdo.drivers.ssh.kex import KEX_ABLE, NAMES, KeyExchange
from rdo.drivers.ssh.packetizer import Packets
from rdo.drivers.ssh.transport import SshTransport

DIRECTORY = Path(rdo.drivers.ssh.__file__).parent
PURE = {"common", "message", "ssh_exception", "config"}
"""Modules of paramiko that anybody may use: they are documented, or nothing but constants."""
USERS = {"kex.py": {"transport"}, "packetizer.py": {"packet"}}


@pytest.fixture
def streams() -> Iterator[tuple[MonitoredStream, socket.socket]]:
    near, far = socket.socketpair()
    with near, far:
        yield MonitoredStream(near), far


def own_names(instance: object, *modules: str) -> set[str]:
    """The names that these files use of `self`, or define in a class, and that paramiko's class has, too."""
    found: set[str] = set()
    for module in modules:
        for node in ast.walk(ast.parse((DIRECTORY / module).read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
                found.add(node.attr)
            elif isinstance(node, ast.FunctionDef):
                found.add(node.name)
    return {name for name in found if hasattr(instance, name) and not name.startswith("__")}


def thread_names() -> set[str]:
    return set(dir(threading.Thread()))


def test_paramiko_has_what_we_use_of_a_connection(streams: tuple[MonitoredStream, socket.socket]) -> None:
    theirs = paramiko.transport.Transport(streams[0])  # type: ignore[arg-type]
    assert [name for name in NAMES["Transport"] if not hasattr(theirs, name) and name != "H"] == []
    used = own_names(theirs, "kex.py", "transport.py") - thread_names()
    assert used - set(NAMES["Transport"]) == set()


def test_paramiko_has_what_we_use_of_packets(streams: tuple[MonitoredStream, socket.socket]) -> None:
    theirs = paramiko.packet.Packetizer(streams[0])  # type: ignore[arg-type]
    assert [name for name in NAMES["Packetizer"] if not hasattr(theirs, name)] == []
    assert own_names(theirs, "packetizer.py") - set(NAMES["Packetizer"]) == set()


def test_every_listed_name_is_used() -> None:
    text = "".join(
        (DIRECTORY / name).read_text() for name in ("kex.py", "transport.py", "packetizer.py", "auth/userauth.py")
    )
    unused = [name for names in NAMES.values() for name in names if text.count(name) < 2]
    assert unused == []


@pytest.mark.parametrize("file", sorted(DIRECTORY.rglob("*.py")), ids=lambda path: path.name)
def test_only_two_modules_use_what_is_not_documented(file: Path) -> None:
    imported = {
        node.module.removeprefix("paramiko").lstrip(".")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("paramiko") and node.module
    }
    assert imported - PURE - {""} <= USERS.get(file.name, set())


@pytest.mark.parametrize("allowed", [SIGNATURES, HOST_KEYS], ids=["without certificates", "with certificates"])
def test_certificates_of_hosts_are_offered_only_where_they_are_checked(
    allowed: tuple[str, ...], streams: tuple[MonitoredStream, socket.socket]
) -> None:
    transport = SshTransport(streams[0], offer(Algorithms(), allowed, KEX_ABLE), 1.0)
    transport.begin_exchange()
    receiver = Packets(MonitoredStream(streams[1]))
    kind, message = receiver.read_message()
    found = kex_offer.parse(message.asbytes())  # type: ignore[union-attr]
    assert kind == 20
    assert found.host_keys == allowed
    assert any(name.endswith(CERTIFICATE) for name in found.host_keys) == (allowed is HOST_KEYS)
    assert set(found.ciphers[0]) <= set(CIPHERS)
    assert set(found.macs[0]) <= set(MACS)
    assert set(found.kex) <= set(KEY_EXCHANGES)


def test_no_check_of_a_host_key_is_left_to_paramiko() -> None:
    assert "_verify_key" in vars(KeyExchange)
