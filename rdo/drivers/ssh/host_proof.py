"""The server's proof that it has the private half of its host key: the signature in a key exchange (RFC 4253, 8).

Ours beside paramiko's own, which takes certificates for keys, and no signature with SHA-1 where the user allows those.
"""

from __future__ import annotations

from typing import NamedTuple

from rdo.drivers.ssh.algorithms import CERTIFICATE, LEGACY_RSA
from rdo.drivers.ssh.blob import kind_of
from rdo.drivers.ssh.certificate import plain, verify
from rdo.drivers.ssh.known_hosts import HostKey


class SessionBinding(NamedTuple):
    """How the server proved its key in the first exchange of keys; an agent can see by it who asks for signatures."""

    host_key: bytes
    session_id: bytes
    signature: bytes


def prove(algorithm: str, shown: bytes, signature: bytes, data: bytes) -> HostKey:
    """The key or certificate that was shown, if the signature of the data proves it. Raises ValueError.

    `algorithm` is the one that was agreed on: no other counts, whatever the server would like to sign with.
    """
    kind, bare = kind_of(shown), algorithm.removesuffix(CERTIFICATE)
    expected = "ssh-rsa" if bare.startswith("rsa-") or bare == LEGACY_RSA else bare
    if kind != expected + (CERTIFICATE if algorithm.endswith(CERTIFICATE) else ""):
        raise ValueError(f"it presented a key of type {kind} for {algorithm}")
    verify(plain(shown), signature, data, bare)
    return HostKey(kind, shown)
