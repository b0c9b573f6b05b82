"""Tests for SHA-256 by Python's own module, against other programs."""

from __future__ import annotations

import hashlib

import pytest

from rdo.util.digest import sha256_hex


@pytest.mark.parametrize("data", [b"", b"abc", bytes(range(256)) * 300])
def test_it_is_the_digest_that_openssl_gives(data: bytes) -> None:
    assert sha256_hex(data) == hashlib.sha256(data).hexdigest()
