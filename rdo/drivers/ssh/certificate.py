"""Host keys and certificates (OpenSSH's PROTOCOL.certkeys): the contents of a certificate, who signed it, whether it is
valid, and whether a server has proved that it has the key (RFC 4253, section 8).

Touches neither files nor network. paramiko's own check treats certificates as keys, and accepts no signature with SHA-1
even if the user allows it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from rdo.drivers.ssh.algorithms import CERTIFICATE, LEGACY_RSA
from rdo.drivers.ssh.fields import BlobReader, kind_of, string
from rdo.drivers.ssh.known_hosts import HostKey
from rdo.fscodec import fsdecode, fsencode

HOST = 2
"""The type of a host certificate; 1 is that of a user certificate."""

FIELDS = {"ssh-ed25519": 1, "ssh-rsa": 2, "ecdsa-sha2-nistp256": 2, "ecdsa-sha2-nistp384": 2, "ecdsa-sha2-nistp521": 2}
"""The number of fields in a public key of each type."""

RSA_HASHES: dict[str, hashes.HashAlgorithm] = {
    LEGACY_RSA: hashes.SHA1(),
    "rsa-sha2-256": hashes.SHA256(),
    "rsa-sha2-512": hashes.SHA512(),
}
ECDSA_HASHES: dict[str, hashes.HashAlgorithm] = {
    "ecdsa-sha2-nistp256": hashes.SHA256(),
    "ecdsa-sha2-nistp384": hashes.SHA384(),
    "ecdsa-sha2-nistp521": hashes.SHA512(),
}


class Certificate(NamedTuple):
    """A certificate with a valid signature; whether its signer is trusted is decided elsewhere."""

    public: bytes
    """The plain public key in it, in the wire format."""
    serial: int
    kind: int
    key_id: bytes
    principals: tuple[bytes, ...]
    valid_after: int
    valid_before: int
    """Both are in seconds since 1970."""
    critical: bytes
    authority: bytes
    """The public key of the signer."""
    signature: str
    """The algorithm of the signature."""

    def fault(self, name: str, now: float, algorithms: Sequence[str]) -> str:
        """Why the certificate does not prove this host name, by the rules of sshkey_cert_check_host(); empty if it
        does.

        `algorithms` are the signatures to accept (CASignatureAlgorithms).
        """
        wanted = fsencode(name)
        checks = (
            (self.kind != HOST, "it is not a host certificate"),
            (now < self.valid_after, "it is not yet valid"),
            (now >= self.valid_before, "it has expired"),
            (not self.principals, "it does not name a host"),
            (not any(_fits(wanted, pattern) for pattern in self.principals), f"it is not valid for `{name}`"),
            (bool(self.critical), "it has unknown critical options"),
            (self.signature not in algorithms, f"it is signed with {self.signature}: see CASignatureAlgorithms"),
        )
        return next((why for wrong, why in checks if wrong), "")


def parse(blob: bytes) -> Certificate:
    """Parse a certificate. Raises ValueError if it is not one, or its signature is invalid."""
    fields = BlobReader(blob)
    public = _public(fields)
    serial, type_, key_id = fields.number(8), fields.number(), fields.string()
    principals = tuple(BlobReader(fields.string()).strings())
    valid_after, valid_before, critical = fields.number(8), fields.number(8), fields.string()
    BlobReader(critical).strings()
    BlobReader(fields.string()).strings()  # extensions, which are for users
    fields.string()  # reserved
    authority = fields.string()
    signed = blob[: len(blob) - len(fields.rest)]
    signature = fields.string()
    if not fields.is_at_end:
        raise ValueError("there is data after the certificate")
    verify(authority, signature, signed)
    algorithm = BlobReader(signature).string().decode("ascii")
    return Certificate(
        public, serial, type_, key_id, principals, valid_after, valid_before, critical, authority, algorithm
    )


def plain(blob: bytes) -> bytes:
    """The public key in a certificate; a plain public key as it is. Raises ValueError."""
    return _public(BlobReader(blob)) if kind_of(blob).endswith(CERTIFICATE) else blob


def _public(fields: BlobReader) -> bytes:
    kind = fields.string().decode("ascii")
    bare = kind.removesuffix(CERTIFICATE)
    if bare == kind or bare not in FIELDS:
        raise ValueError(f"it is a certificate of an unsupported kind: {kind}")
    fields.string()  # nonce
    return string(bare.encode()) + b"".join(string(fields.string()) for _ in range(FIELDS[bare]))


def verify(public: bytes, signature: bytes, data: bytes, expected: str = "") -> None:
    """Raise ValueError unless the data was signed by the private half of the public key.

    `expected` is the algorithm, if only one is acceptable. Otherwise the caller judges it, since SHA-1 proves little.
    """
    try:
        kind = kind_of(public)
        key = serialization.load_ssh_public_key(f"{kind} {base64.b64encode(public).decode()}".encode())
        fields = BlobReader(signature)
        algorithm, raw = fields.string().decode("ascii"), fields.string()
        if expected and algorithm != expected:
            raise ValueError(f"it is signed with {algorithm}")
        _verify(kind, key, algorithm, raw, data)
    except (InvalidSignature, UnsupportedAlgorithm, KeyError, TypeError) as error:
        raise ValueError("its signature is wrong, or of an unknown kind") from error


def _verify(kind: str, key: object, algorithm: str, raw: bytes, data: bytes) -> None:
    if isinstance(key, ed25519.Ed25519PublicKey) and algorithm == kind:
        key.verify(raw, data)
    elif isinstance(key, rsa.RSAPublicKey):
        whole = raw.rjust((key.key_size + 7) // 8, b"\0")  # PuTTY leaves out leading zeros
        key.verify(whole, data, padding.PKCS1v15(), RSA_HASHES[algorithm])
    elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm == kind:
        pair = BlobReader(raw)
        r, s = (int.from_bytes(pair.string(), "big") for _ in range(2))
        key.verify(encode_dss_signature(r, s), data, ec.ECDSA(ECDSA_HASHES[algorithm]))
    else:
        raise KeyError(algorithm)


def _fits(name: bytes, pattern: bytes) -> bool:
    """Whether a principal, which may contain `*` and `?`, matches the host. Brackets are not special."""
    text = fsdecode(pattern).replace("[", "[[]")
    return fnmatchcase(fsdecode(name), text)


class SessionBinding(NamedTuple):
    """How the server proved its key in the first key exchange, by which an agent can see for whom it signs."""

    host_key: bytes
    session_id: bytes
    signature: bytes


def prove(algorithm: str, shown: bytes, signature: bytes, data: bytes) -> HostKey:
    """The key or certificate that was shown, if the signature of the data proves it. Raises ValueError.

    `algorithm` is the one that was agreed on; no other is accepted.
    """
    kind, bare = kind_of(shown), algorithm.removesuffix(CERTIFICATE)
    expected = "ssh-rsa" if bare.startswith("rsa-") or bare == LEGACY_RSA else bare
    if kind != expected + (CERTIFICATE if algorithm.endswith(CERTIFICATE) else ""):
        raise ValueError(f"it presented a key of type {kind} for {algorithm}")
    verify(plain(shown), signature, data, bare)
    return HostKey(kind, shown)
