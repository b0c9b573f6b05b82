"""RevokedHostKeys: files of keys that no host may use, as lists of keys or as OpenSSH's key revocation lists (KRLs).

A file that cannot be read or parsed is an error, as with ssh, since it may revoke a key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rdo.drivers.ssh.certificate import Certificate, plain
from rdo.drivers.ssh.fields import BlobReader, kind_of
from rdo.drivers.ssh.known_hosts import HostKey
from rdo.errors import ConnectError, reason
from rdo.fscodec import fsdecode
from rdo.util import foreign_file
from rdo.util.lines import split_lines, split_words

MAGIC = b"SSHKRL\n\0"
VERSION = 1
CERTIFICATES, EXPLICIT_KEYS, SHA1S, SIGNATURE, SHA256S, EXTENSION = 1, 2, 3, 4, 5, 255
SERIAL_LIST, SERIAL_RANGE, SERIAL_BITMAP, KEY_ID, CERTIFICATE_EXTENSION = 0x20, 0x21, 0x22, 0x23, 0x39


class RevokedCertificates(NamedTuple):
    """The revoked certificates of one authority, or of all if `authority` is empty."""

    authority: bytes
    ranges: tuple[tuple[int, int], ...] = ()
    """The first and last serial number of each range."""
    bitmaps: tuple[tuple[int, int], ...] = ()
    """A first serial number, and a number each set bit of which stands for a serial number counted from there."""
    key_ids: frozenset[bytes] = frozenset()

    def covers(self, certificate: Certificate) -> bool:
        """Whether this certificate is among them. Serial number 0 means that its authority does not number
        certificates."""
        if self.authority not in (b"", certificate.authority):
            return False
        serial = certificate.serial
        if certificate.key_id in self.key_ids:
            return True
        return serial > 0 and (
            any(first <= serial <= last for first, last in self.ranges)
            or any(serial >= first and bits >> (serial - first) & 1 for first, bits in self.bitmaps)
        )


class KeyRevocationList(NamedTuple):
    """A key revocation list."""

    keys: frozenset[bytes]
    """Public keys in the wire format."""
    hashes: frozenset[bytes]
    """SHA-1 and SHA-256 of public keys."""
    certificates: tuple[RevokedCertificates, ...]

    def revokes(self, blob: bytes, certificate: Certificate | None) -> bool:
        """Whether it revokes a plain public key, or the certificate that contains it."""
        if self._has(blob):
            return True
        if certificate is None:
            return False
        return self._has(certificate.authority) or any(revoked.covers(certificate) for revoked in self.certificates)

    def _has(self, blob: bytes) -> bool:
        hashed = hashlib.sha1(blob, usedforsecurity=False).digest(), hashlib.sha256(blob).digest()
        return blob in self.keys or not self.hashes.isdisjoint(hashed)


def parse_krl(data: bytes) -> KeyRevocationList:
    """The list in a file. Raises ValueError if it cannot be parsed."""
    blob = BlobReader(data)
    if blob.take(len(MAGIC)) != MAGIC or blob.number() != VERSION:
        raise ValueError("it is not a revocation list of version 1")
    blob.take(24)  # the list's version, its date, and flags, none of which are defined
    blob.string()  # reserved
    blob.string()  # comment
    keys: list[bytes] = []
    hashes: list[bytes] = []
    certificates: list[RevokedCertificates] = []
    while not blob.is_at_end:
        kind, section = blob.number(1), BlobReader(blob.string())
        if kind == CERTIFICATES:
            certificates.append(_certificates(section))
        elif kind == EXPLICIT_KEYS:
            keys += section.strings()
        elif kind in (SHA1S, SHA256S):
            hashes += _sized(section.strings(), 20 if kind == SHA1S else 32)
        elif kind == EXTENSION:
            _extension(section)
        else:  # also a signature: since 9.4 OpenSSH refuses signed lists, as nobody checks the signature
            raise ValueError(f"it has a section of an unknown kind: {kind}")
    return KeyRevocationList(frozenset(keys), frozenset(hashes), tuple(certificates))


def _sized(hashes: list[bytes], size: int) -> list[bytes]:
    if any(len(found) != size for found in hashes):
        raise ValueError("a hash in it has the wrong length")
    return hashes


def _certificates(section: BlobReader) -> RevokedCertificates:
    authority = section.string()
    section.string()  # reserved
    ranges: list[tuple[int, int]] = []
    bitmaps: list[tuple[int, int]] = []
    key_ids: list[bytes] = []
    while not section.is_at_end:
        kind, part = section.number(1), BlobReader(section.string())
        if kind == SERIAL_LIST:
            ranges += _serials(part)
        elif kind == SERIAL_RANGE:
            ranges.append((part.number(8), part.number(8)))
        elif kind == SERIAL_BITMAP:
            bitmaps.append((part.number(8), int.from_bytes(part.string(), "big")))
        elif kind == KEY_ID:
            key_ids += part.strings()
        elif kind == CERTIFICATE_EXTENSION:
            _extension(part)
        else:
            raise ValueError(f"its certificates have a section of an unknown kind: {kind}")
        _ended(part)
    return RevokedCertificates(authority, tuple(ranges), tuple(bitmaps), frozenset(key_ids))


def _serials(part: BlobReader) -> Iterable[tuple[int, int]]:
    while not part.is_at_end:
        serial = part.number(8)
        yield serial, serial


def _extension(section: BlobReader) -> None:
    name, critical = section.string(), section.number(1)
    section.string()
    if critical:
        raise ValueError(f"it has an unknown critical extension: {name.decode(errors='replace')}")
    _ended(section)


def _ended(section: BlobReader) -> None:
    if not section.is_at_end:
        raise ValueError("one of its sections has trailing data")


REVOCATION_LIMIT = 64 * 1024 * 1024
"""Bytes of a file: more than a million keys."""


def check(files: Sequence[str], name: str, key: HostKey, certificate: Certificate | None) -> None:
    """Return if no file revokes the key of this host, its certificate, or the signer of that.

    Raises ConnectError.
    """
    for path in files:
        try:
            revoked = revokes(_read(path), key.blob, certificate)
        except OSError as error:
            raise _unusable(path, name, reason(error)) from error
        except ValueError as error:
            raise _unusable(path, name, str(error)) from error
        if revoked:
            raise ConnectError(
                f"the host key of `{name}` is revoked",
                f"{key.family} key {key.fingerprint}, by `{path}` (RevokedHostKeys)",
                "do not connect until its owner has explained this",
            )


def revokes(data: bytes, blob: bytes, certificate: Certificate | None) -> bool:
    """Whether the content of such a file revokes the key. Raises ValueError."""
    if data.startswith(MAGIC):
        return parse_krl(data).revokes(blob, certificate)
    shown = {blob} if certificate is None else {blob, certificate.authority}
    return not shown.isdisjoint(_keys(fsdecode(data)))


def _keys(text: str) -> Iterator[bytes]:
    for number, line in enumerate(split_lines(text), 1):
        words = split_words(line.rstrip("\r"))
        if not words or words[0].startswith("#"):
            continue
        try:
            blob = base64.b64decode(words[1], validate=True)
            right = kind_of(blob) == words[0]
        except (IndexError, binascii.Error, ValueError):
            right = False
        if not right:
            raise ValueError(f"line {number} is not a public key")
        yield plain(blob)


def _read(path: str) -> bytes:
    return b"" if path == os.devnull else foreign_file.read(path, REVOCATION_LIMIT)


def _unusable(path: str, name: str, why: str) -> ConnectError:
    what = f"cannot check the host key of `{name}` against `{path}` (RevokedHostKeys)"
    return ConnectError(what, why, "repair the file, or remove the option from your ssh configuration")
