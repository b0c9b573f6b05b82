"""Private keys in files, and signatures by them. For keys in the agent, see agent.py.

Reads files and computes; never asks the user or talks to a server.
"""

from __future__ import annotations

import base64
import os
import stat
from typing import NamedTuple, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from rdo.drivers.ssh.algorithms import CERTIFICATE
from rdo.drivers.ssh.certificate import RSA_HASHES
from rdo.drivers.ssh.fields import BlobReader, kind_of, mpint, string, text
from rdo.errors import reason
from rdo.fscodec import fsencode
from rdo.util import foreign_file
from rdo.util.lines import split_lines, split_words

KEY_FILE_LIMIT = 1024 * 1024
"""Bytes of a key file: MAX_KEY_FILE_SIZE in OpenSSH's authfile.h."""

UNSUPPORTED = "rdo cannot sign with keys of its kind; add it to the agent with `ssh-add`"
"""Mainly for security keys (sk-)."""

MAGIC = b"openssh-key-v1\0"
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
ECDSA_HASHES: dict[int, hashes.HashAlgorithm] = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}


class SigningKey(Protocol):
    """A key that can prove the user's identity."""

    @property
    def label(self) -> str:
        """The key's name for people: its file, or its comment in the agent."""

    @property
    def blob(self) -> bytes:
        """The public key or certificate, in the wire format."""

    @property
    def kind(self) -> str:
        """The type in the blob, such as `ssh-ed25519`."""

    def sign(self, data: bytes, algorithm: str) -> bytes:
        """A signature in the wire format. Raises SigningFailed."""


class SigningFailed(Exception):
    """The key cannot sign, for example because the agent refuses."""


class KeyUnusable(Exception):
    """The file is not a private key that rdo can read; the text says why."""


class PassphraseNeeded(Exception):
    """The key is encrypted, and the passphrase is missing or wrong."""


class FileKey:
    """A private key in memory, with its public key or a certificate for it."""

    def __init__(self, label: str, private: PrivateKey, certificate: bytes | None = None) -> None:
        self.label = label
        self.private = private
        self.blob = certificate or public_blob(private)

    @property
    def kind(self) -> str:
        return kind_of(self.blob)

    def certified(self, certificate: bytes) -> FileKey:
        """The same key with a certificate."""
        return FileKey(self.label, self.private, certificate)

    def sign(self, data: bytes, algorithm: str) -> bytes:
        name = algorithm.removesuffix(CERTIFICATE)
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            raw = self.private.sign(data)
        elif isinstance(self.private, rsa.RSAPrivateKey):
            raw = self.private.sign(data, padding.PKCS1v15(), RSA_HASHES[name])
        else:
            chosen = ECDSA_HASHES[self.private.curve.key_size]
            raw = b"".join(map(mpint, decode_dss_signature(self.private.sign(data, ec.ECDSA(chosen)))))
        return text(name) + string(raw)


class KeyFile(NamedTuple):
    """The content of a file, and why a private key in it may not be used; empty if it may."""

    content: bytes
    fault: str = ""


def read(path: str) -> KeyFile:
    """Read the file. As with ssh(1), a private key must not be readable by others; a public key may be. Raises
    KeyUnusable."""
    try:
        with foreign_file.open_regular(path) as file:
            info = os.fstat(file.fileno())
            mode = stat.S_IMODE(info.st_mode)
            is_open = info.st_uid == os.getuid() and mode & 0o077
            return KeyFile(
                foreign_file.rest(file, KEY_FILE_LIMIT), f"permissions {mode:04o} are too open" if is_open else ""
            )
    except OSError as error:
        raise KeyUnusable(reason(error)) from error


def load(path: str, content: bytes, passphrase: str | None) -> FileKey:
    """The key in the content of a file. Raises PassphraseNeeded, KeyUnusable."""
    secret = fsencode(passphrase) if passphrase else None
    try:
        if b"OPENSSH PRIVATE KEY" in content:
            private = serialization.load_ssh_private_key(content, secret)
        else:
            private = serialization.load_pem_private_key(content, secret)  # type: ignore[assignment]
    except TypeError as error:
        raise PassphraseNeeded from error
    except UnsupportedAlgorithm as error:
        raise KeyUnusable(UNSUPPORTED) from error
    except ValueError as error:
        if secret is not None:
            raise PassphraseNeeded from error
        raise KeyUnusable("it is not a private key of a supported kind") from error
    if not isinstance(private, PrivateKey):
        raise KeyUnusable(UNSUPPORTED)
    return FileKey(path, private)


def public_part(path: str, content: bytes) -> bytes | None:
    """The public key of a private key that may be encrypted: from its file or PATH.pub; None if neither has it."""
    if b"OPENSSH PRIVATE KEY" in content:
        try:
            data = base64.b64decode(b"".join(content.strip().split(b"\n")[1:-1]))
            return _public_inside(data)
        except ValueError:
            return None
    return public_file(f"{path}.pub")


def public_file(path: str) -> bytes | None:
    """The blob in the file of a public key or a certificate; None if there is none."""
    try:
        return public_line(foreign_file.read(path, KEY_FILE_LIMIT))
    except OSError:
        return None


def public_line(content: bytes) -> bytes | None:
    """The blob in the first line that is not a comment, if it is a public key or a certificate."""
    lines = (split_words(line.rstrip("\r")) for line in split_lines(content.decode(errors="replace")))
    words = next((words for words in lines if words and not words[0].startswith("#")), [])
    try:
        blob = base64.b64decode(words[1], validate=True)
        return blob if kind_of(blob) == words[0] else None
    except (IndexError, ValueError):
        return None


def public_blob(private: PrivateKey) -> bytes:
    """The public key of a private one, in the wire format."""
    formats = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    return base64.b64decode(private.public_key().public_bytes(*formats).split()[1])


def belongs(certificate: bytes, public: bytes) -> bool:
    """Whether the certificate is for this public key, whose numbers follow the certificate's type and nonce."""
    fields, numbers = BlobReader(certificate), BlobReader(public)
    try:
        kind = numbers.string().decode("ascii").removesuffix("@openssh.com")  # as with security keys
        is_for_kind = fields.string().decode("ascii") == kind + CERTIFICATE
        fields.string()
    except ValueError:
        return False
    return is_for_kind and fields.rest.startswith(numbers.rest)


def _public_inside(data: bytes) -> bytes:
    fields = BlobReader(data)
    if fields.take(len(MAGIC)) != MAGIC:
        raise ValueError("it is not an OpenSSH key")
    for _ in ("cipher", "kdf", "kdf options"):
        fields.string()
    fields.number()  # the number of keys
    return fields.string()
