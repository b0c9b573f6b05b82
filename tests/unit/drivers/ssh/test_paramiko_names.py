"""Checks rdo's use of undocumented names of paramiko: the installed version has them, they are listed, and one module
uses them.

Also checks that host certificates, which paramiko would offer but does not check, are not left to it.
"""

from __future__ import annotations

import ast
import re
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
from rdo.drivers.ssh.monitored_stream import MonitoredStream
from rdo.drivers.ssh.paramiko_adapter import KEX_ABLE, NAMES, KeyExchange, PacketizerAdapter
from rdo.drivers.ssh.transport import SshTransport

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not

DIRECTORY = Path(rdo.drivers.ssh.__file__).parent
ADAPTER = DIRECTORY / "paramiko_adapter.py"
DOCUMENTED = {"common", "message", "ssh_exception", "config"}
"""Modules of paramiko that anybody may use: they are documented, or have only constants."""
UNDOCUMENTED = {"packet", "transport"}

Streams = tuple[MonitoredStream, socket.socket]


@pytest.fixture
def streams() -> Iterator[Streams]:
    near, far = socket.socketpair()
    with near, far:
        yield MonitoredStream(near), far


@pytest.fixture
def theirs(streams: Streams) -> dict[str, object]:
    """An instance of each class of paramiko that rdo inherits from."""
    return {
        "Transport": paramiko.transport.Transport(streams[0]),  # type: ignore[arg-type]
        "Packetizer": paramiko.packet.Packetizer(streams[0]),  # type: ignore[arg-type]
    }


def used_names(file: Path, class_name: str) -> set[str]:
    """What a class defines, and what it uses of `self` or `super()`."""
    found: set[str] = set()
    for made in ast.walk(ast.parse(file.read_text())):
        if isinstance(made, ast.ClassDef) and made.name == class_name:
            for node in ast.walk(made):
                if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("self", "super()"):
                    found.add(node.attr)
                elif isinstance(node, ast.FunctionDef):
                    found.add(node.name)
                elif isinstance(node, ast.AnnAssign | ast.Assign):
                    found |= {ast.unparse(name) for name in getattr(node, "targets", [getattr(node, "target", node)])}
    return found


@pytest.mark.parametrize(("theirs_name", "name"), [(each, name) for each, names in NAMES.items() for name in names])
def test_paramiko_has_what_we_use(theirs_name: str, name: str, theirs: dict[str, object]) -> None:
    is_set_later = (theirs_name, name) == ("Transport", "H")  # by the key exchange
    assert hasattr(theirs[theirs_name], name) or is_set_later


@pytest.mark.parametrize(
    ("file", "class_name", "theirs_name"),
    [
        (ADAPTER, "KeyExchange", "Transport"),
        (DIRECTORY / "transport.py", "SshTransport", "Transport"),
        (ADAPTER, "PacketizerAdapter", "Packetizer"),
    ],
    ids=lambda value: str(value),
)
def test_each_name_of_paramiko_that_a_class_uses_is_listed(
    file: Path, class_name: str, theirs_name: str, theirs: dict[str, object]
) -> None:
    used = used_names(file, class_name)
    of_paramiko = {name for name in used if hasattr(theirs[theirs_name], name) and not name.startswith("__")}
    assert of_paramiko - set(dir(threading.Thread())) - set(NAMES[theirs_name]) == set()


def test_each_listed_name_is_used() -> None:
    text = "".join(file.read_text() for file in DIRECTORY.rglob("*.py"))
    names = [name for names in NAMES.values() for name in names]
    assert [name for name in names if len(re.findall(rf"\b{name}\b", text)) < 2] == []


@pytest.mark.parametrize("file", sorted(DIRECTORY.rglob("*.py")), ids=lambda path: path.name)
def test_only_one_module_uses_undocumented_names(file: Path) -> None:
    imported = {
        (node.module or "").removeprefix("paramiko").lstrip(".")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("paramiko")
    }
    assert imported - DOCUMENTED - {""} == (UNDOCUMENTED if file == ADAPTER else set())


@pytest.mark.parametrize("allowed", [SIGNATURES, HOST_KEYS], ids=["without certificates", "with certificates"])
def test_certificates_of_hosts_are_offered_only_where_they_are_checked(
    allowed: tuple[str, ...], streams: Streams
) -> None:
    transport = SshTransport(streams[0], offer(Algorithms(), allowed, KEX_ABLE), 1.0)
    transport.begin_exchange()
    receiver = PacketizerAdapter(MonitoredStream(streams[1])).receiver
    kind, message = receiver.read()
    found = kex_offer.parse(message.asbytes())
    assert kind == 20
    assert found.host_keys == allowed
    assert any(name.endswith(CERTIFICATE) for name in found.host_keys) == (allowed is HOST_KEYS)
    assert set(found.ciphers[0]) <= set(CIPHERS)
    assert set(found.macs[0]) <= set(MACS)
    assert set(found.kex) <= set(KEY_EXCHANGES)


def test_no_check_of_a_host_key_is_left_to_paramiko() -> None:
    assert "_verify_key" in vars(KeyExchange)
