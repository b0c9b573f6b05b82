"""The two ends of a connection with SSH packets, over a pair of sockets and with ciphers set as paramiko does."""

from __future__ import annotations

import socket

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rdo.drivers.ssh.paramiko_adapter import PacketizerAdapter

KEY, IV = bytes(range(16)), b"abcd" + (2**64 - 2).to_bytes(8, "big")
"""The initialization vector has a counter that soon wraps around."""

PLAIN = {"block_engine": None, "block_size": 8, "mac_engine": None, "mac_size": 0, "mac_key": b"", "aead": False}

Ends = tuple[PacketizerAdapter, PacketizerAdapter, socket.socket]
"""A sender, a receiver, and the receiver's socket."""


def cipher(name: str, key: bytes = KEY) -> dict[str, object]:
    """What paramiko passes for AES-GCM. `name` is the parameter for the initialization vector."""
    return {**PLAIN, "block_engine": AESGCM(key), "block_size": 16, "mac_size": 16, "aead": True, name: IV}
