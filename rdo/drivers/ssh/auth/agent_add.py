"""AddKeysToAgent: the request by which a private key is given to the agent (draft-miller-ssh-agent). Computes only."""

from __future__ import annotations

import struct
from typing import NamedTuple

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from rdo.drivers.ssh.auth.private_key import FileKey, mpint, public_blob, string
from rdo.drivers.ssh.blob import BlobReader
from rdo.fscodec import fsencode

ADD_IDENTITY, ADD_CONSTRAINED = 17, 25
LIFETIME, CONFIRM = 1, 2


class AddPolicy(NamedTuple):
    """Whether and how keys are given to the agent."""

    wanted: bool = False
    asks: bool = False
    """Whether the user is asked first."""
    confirm: bool = False
    """Whether the agent is to ask before each use."""
    lifetime: int = 0
    """Seconds that the agent keeps it; 0: as long as it runs."""


def add_policy(value: str) -> AddPolicy:
    """What the value of the option says, as `ssh -G` prints it: `yes`, `ask`, `confirm`, `3600` or `confirm 3600`."""
    words = value.split(" ")
    lifetime = int(words[-1]) if words[-1].isascii() and words[-1].isdecimal() else 0
    confirm = words[0] == "confirm"
    return AddPolicy(bool(lifetime) or confirm or value in ("yes", "true", "ask"), value == "ask", confirm, lifetime)


def request(key: FileKey, how: AddPolicy) -> bytes:
    """The message without its length."""
    constraints = struct.pack(">BI", LIFETIME, how.lifetime) if how.lifetime else b""
    constraints += bytes([CONFIRM]) if how.confirm else b""
    kind = ADD_CONSTRAINED if constraints else ADD_IDENTITY
    return bytes([kind]) + _fields(key) + string(fsencode(key.label)) + constraints


def _fields(key: FileKey) -> bytes:
    private = key.private
    public = BlobReader(public_blob(private))
    kind = string(public.string())
    if isinstance(private, ed25519.Ed25519PrivateKey):
        raw = serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
        point = public.string()
        return kind + string(point) + string(private.private_bytes(*raw) + point)
    if isinstance(private, rsa.RSAPrivateKey):
        secret = private.private_numbers()
        numbers = (secret.public_numbers.n, secret.public_numbers.e, secret.d, secret.iqmp, secret.p, secret.q)
        return kind + b"".join(map(mpint, numbers))
    return kind + public.rest + mpint(private.private_numbers().private_value)
