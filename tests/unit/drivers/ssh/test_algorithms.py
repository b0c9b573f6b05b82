"""Tests for the choice of algorithms: only those that the user's configuration allows."""

from __future__ import annotations

import pytest

from rdo.drivers.ssh.algorithms import (
    AEAD_CIPHERS,
    CIPHERS,
    DEFAULT_ORDERS,
    Algorithms,
    chosen,
    names,
    offer,
    permitted,
)
from rdo.errors import ConnectError

DEFAULT = ("a", "b", "c")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("", ()),
        ("x,y", ("x", "y")),
        ("x,,y", ("x", "y")),
        ("+x,b", ("a", "b", "c", "x")),
        ("-b", ("a", "c")),
        ("-*", ()),
        ("^c,x", ("c", "x", "a", "b")),
    ],
)
def test_a_list_replaces_or_changes_the_default(text: str | None, expected: tuple[str, ...] | None) -> None:
    assert names(text, DEFAULT) == expected


def test_without_a_list_everything_supported_is_allowed() -> None:
    assert permitted(None, DEFAULT) == DEFAULT
    assert permitted((), DEFAULT) == ()


def test_the_users_order_is_used() -> None:
    assert permitted(("c", "x", "a"), DEFAULT) == ("c", "a")


@pytest.mark.parametrize("order", DEFAULT_ORDERS)
def test_the_default_order_is_not_the_users(order: tuple[str, ...]) -> None:
    assert permitted(order, CIPHERS) == CIPHERS
    assert permitted(order[1:4], CIPHERS) == tuple(name for name in CIPHERS if name in order[1:4])


def test_a_cipher_that_was_put_first_is_used_first() -> None:
    assert permitted(("aes256-ctr", *DEFAULT_ORDERS[0]), CIPHERS)[0] == "aes256-ctr"


def test_outdated_algorithms_are_used_only_if_they_are_named() -> None:
    assert chosen("Ciphers", None, ("new",), ("old",)) == ("new",)
    assert chosen("Ciphers", ("old", "new"), ("new",), ("old",)) == ("old", "new")


def test_a_list_without_anything_supported_is_an_error_that_names_it() -> None:
    with pytest.raises(ConnectError) as failure:
        chosen("Ciphers", ("chacha20-poly1305@openssh.com",), CIPHERS)
    text = str(failure.value)
    assert text.startswith("rdo supports none of the Ciphers of this host: ")
    assert "chacha20-poly1305@openssh.com" in text
    assert "allow one of aes128-gcm@openssh.com" in text


def test_the_error_of_a_list_is_of_one_line_however_long_that_is() -> None:
    for allowed in ((), tuple(f"{number}{'x' * 900}" for number in range(50))):
        with pytest.raises(ConnectError) as failure:
            chosen("Ciphers", allowed, CIPHERS)
        assert ("and 44 more" if allowed else "allows none at all") in str(failure.value)
        assert len(str(failure.value)) < 800


def test_an_offer_has_nothing_that_is_not_allowed() -> None:
    allowed = Algorithms(key_exchanges=("ecdh-sha2-nistp256",), ciphers=("aes256-ctr",), macs=("hmac-sha2-512",))
    found = offer(allowed, ("ssh-ed25519",))
    assert found == (("ssh-ed25519",), ("ecdh-sha2-nistp256",), ("aes256-ctr",), ("hmac-sha2-512",), ("none",))


def test_without_a_supported_mac_only_ciphers_that_need_none_remain() -> None:
    found = offer(Algorithms(macs=("umac-64@openssh.com",)), ())
    assert found.ciphers == AEAD_CIPHERS
    assert found.macs
    with pytest.raises(ConnectError, match="none of the MACs of this host"):
        offer(Algorithms(macs=("umac-64@openssh.com",), ciphers=("aes128-ctr",)), ())


def test_compression_is_offered_if_it_was_requested() -> None:
    assert offer(Algorithms(compression=True), ("ssh-ed25519",)).compression == ("zlib@openssh.com", "none")
