"""Tests for `Compression yes`: much data in both directions, on each code path for packets, and across key
exchanges.
"""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from rdo.drivers.base import STDOUT
from tests.integration.conftest import Connect, MakeServer
from tests.servers import sshd_alone
from tests.ssh_client import drain, feed, output
from tests.ssh_server import SshServer

CIPHERS = ["aes128-gcm@openssh.com", "aes256-ctr"]

SIZE = 3_000_000

BOTH_WAYS = "f=$(mktemp); cat >$f; cat $f >&2; sha256sum <$f; rm $f"
"""Copies its input to stderr. dropbear's pipes cannot be reopened, as `tee /dev/stderr` would."""


@pytest.mark.parametrize(
    ("server_kind", "cipher"),
    [("sshd", CIPHERS[0]), ("sshd", CIPHERS[1]), ("dropbear", CIPHERS[1])],
    indirect=["server_kind"],
)
def test_data_arrives_unchanged(cipher: str, server: SshServer, connect: Connect) -> None:
    connection = connect(server.ssh_config(extra=["Compression yes", f"Ciphers {cipher}"], name="compressed"))
    transport = connection._transport
    assert (transport.local_compression, transport.remote_compression) == ("zlib@openssh.com",) * 2
    channel = connection.open_channel(BOTH_WAYS, None)
    data = b"".join(hashlib.sha256(str(n).encode()).digest() + b"x" * 68 for n in range(SIZE // 100))
    threading.Thread(target=feed, args=(channel, data)).start()
    found = drain(channel)
    assert found[STDOUT].split()[0].decode() == hashlib.sha256(data).hexdigest()
    assert found[2] == data


@sshd_alone("RekeyLimit")
@pytest.mark.parametrize("cipher", CIPHERS)
def test_keys_may_change_meanwhile(cipher: str, own_server: MakeServer, connect: Connect) -> None:
    with own_server("RekeyLimit 100K", f"Ciphers {cipher}") as server:
        connection = connect(server.ssh_config(extra=["Compression yes"]))
        assert output(connection, "head -c 1000000 /dev/urandom | wc -c; echo x") == (0, "1000000\nx\n")
        channel = connection.open_channel("head -c 1500000 /dev/urandom | tee /dev/stderr | sha256sum", None)
        found = drain(channel)
        assert found[STDOUT].split()[0].decode() == hashlib.sha256(found[2]).hexdigest()


@sshd_alone("Compression no")
def test_a_server_without_compression_still_works(own_server: MakeServer, connect: Connect) -> None:
    with own_server("Compression no") as server:
        assert output(connect(server.ssh_config(extra=["Compression yes"])), "echo in") == (0, "in\n")


def test_nothing_is_compressed_if_it_was_not_requested(server: SshServer, connect: Connect, tmp_path: Path) -> None:
    assert connect(server.ssh_config())._transport.local_compression == "none"
