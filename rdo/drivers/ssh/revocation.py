"""RevokedHostKeys: files of keys that no host may show, as lists of keys or as KRLs. A file that cannot be read, or not
be understood, is an error: ssh refuses to connect then, and so does rdo.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterator, Sequence

from rdo.drivers.ssh import krl
from rdo.drivers.ssh.blob import kind_of
from rdo.drivers.ssh.certificate import Certificate, plain
from rdo.drivers.ssh.known_hosts import HostKey
from rdo.errors import ConnectError
from rdo.fscodec import fsdecode
from rdo.util import foreign_file
from rdo.util.lines import split_lines, split_words

REVOCATION_LIMIT = 64 * 1024 * 1024
"""Bytes of a file: more than a million keys."""


def check(files: Sequence[str], name: str, key: HostKey, certificate: Certificate | None) -> None:
    """Return where none of the files revokes the key of this host, or its certificate, or who signed that.

    Raises ConnectError.
    """
    for path in files:
        try:
            revoked = revokes(_read(path), key.blob, certificate)
        except OSError as error:
            raise _unusable(path, name, (error.strerror or str(error)).lower()) from error
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
    if data.startswith(krl.MAGIC):
        return krl.parse(data).revokes(blob, certificate)
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
