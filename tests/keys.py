"""Creates keys for servers and users, in the form in which ssh-keygen writes them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

GENERATE: dict[str, Callable[[], Ed25519PrivateKey | EllipticCurvePrivateKey]] = {
    "ed25519": Ed25519PrivateKey.generate,
    "ecdsa": lambda: generate_private_key(SECP256R1()),
}


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "", comment: str = "rdo-test") -> Path:
    """Create a private key at `path`, and its public half beside it, of a kind that is cheap to create and decrypt."""
    cheap = ["-b", "2048"] if kind == "rsa" else []
    command = ["ssh-keygen", "-q", "-t", kind, *cheap, "-a", "1", "-N", passphrase, "-C", comment, "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def make_plain_key(path: Path, kind: str = "ed25519") -> Path:
    """Like `make_key`, but without a comment inside the private key, and without starting a program: each server has
    three.
    """
    key = GENERATE[kind]()
    path.touch(0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    path.with_name(f"{path.name}.pub").write_text(f"{public} rdo-test\n")
    return path
