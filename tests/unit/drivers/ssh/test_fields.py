"""Tests for decoding the fields of keys and of messages from an SSH server: no length is trusted, and no encoding
assumed.
"""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdo.drivers.ssh import kex_offer
from rdo.drivers.ssh.fields import (
    BlobReader,
    MessageReader,
    Violation,
    kind_of,
    mpint,
    rsa_bits,
    string,
    text,
    uint32,
    words,
)
from rdo.drivers.ssh.kex_offer import ServerOffer

NAMES = text("a,b")
GCM = "aes128-gcm@openssh.com"
OFFER = bytes(16) + text("sntrup761,ext-info-s,kex-strict-s-v00@openssh.com") + text("ssh-ed25519") + NAMES * 6
OURS = {
    "key exchange methods": ("sntrup761",),
    "host key algorithms": ("ssh-ed25519",),
    "ciphers": ("c", "b"),
    "MACs": ("a",),
    "compression methods": ("a",),
}


def test_fields_are_read_one_after_the_other() -> None:
    fields = MessageReader(uint32(7) + b"\1\0" + text("x,,y") + text("rest"))
    assert (fields.number(), fields.flag(), fields.flag(), fields.names()) == (7, True, False, ("x", "y"))
    assert (fields.take(4), fields.is_at_end, fields.rest) == (b"\0\0\0\4", False, b"rest")
    assert MessageReader(memoryview(text("rest"))).string() == b"rest"


def test_a_blob_is_read_to_its_end_and_no_further() -> None:
    fields = BlobReader(string(b"a") + string(b"bc") + b"\1")
    assert (fields.string(), fields.string(), fields.number(1), fields.is_at_end) == (b"a", b"bc", 1, True)
    with pytest.raises(ValueError, match="it is truncated"):
        fields.number(1)


def test_a_key_whose_type_is_not_ascii_has_none() -> None:
    with pytest.raises(ValueError, match="ascii"):
        kind_of(string(b"\xff"))


def test_the_size_of_an_rsa_key_is_known() -> None:
    assert rsa_bits(string(b"ssh-rsa") + mpint(65537) + mpint(1 << 2047)) == 2048
    assert rsa_bits(string(b"ssh-ed25519") + string(b"x")) is None


@pytest.mark.parametrize(("number", "sent"), [(0, b"\0"), (127, b"\x7f"), (128, b"\0\x80"), (256, b"\1\0")])
def test_a_number_of_any_size_is_encoded_as_non_negative(number: int, sent: bytes) -> None:
    assert mpint(number) == string(sent)


@pytest.mark.parametrize("body", [b"", b"\0\0\0", uint32(1), uint32(2**32 - 1) + b"x"])
def test_a_length_beyond_the_message_is_a_violation(body: bytes) -> None:
    with pytest.raises(Violation, match="truncated"):
        MessageReader(body).string()


def test_text_of_any_encoding_can_be_shown_and_is_truncated() -> None:
    assert words(b"gr\xfc\xc3\xbc\xc3\x9f") == "gr\\xfc\u00fc\u00df"
    assert words(b"x" * 9, 4) == "xxxx..."
    assert words(b"x" * 4, 4) == "xxxx"


def test_invalid_names_in_an_offer_are_skipped() -> None:
    pair = (("a", "b"), ("a", "b"))
    assert kex_offer.parse(OFFER) == ServerOffer(("sntrup761",), ("ssh-ed25519",), pair, pair, pair)


def test_an_offer_with_one_supported_method_of_each_kind_is_enough() -> None:
    assert kex_offer.mismatch(kex_offer.parse(OFFER), OURS) is None


@pytest.mark.parametrize("kind", OURS)
def test_what_is_missing_is_named_with_the_setting_to_change(kind: str) -> None:
    found = kex_offer.mismatch(kex_offer.parse(OFFER), {**OURS, kind: ("ours", "more")})
    assert found is not None
    assert found.kind == kind
    assert found.why.startswith(f"the server offers only these {kind}: ")
    assert found.hint(("ours", "more")).startswith("add `ours` to ")
    assert not found.hint(())


@pytest.mark.parametrize(
    ("out", "into", "lacks"),
    [(GCM, GCM, False), (GCM, "x,b", True), ("x,b", GCM, True), (f"b,{GCM}", GCM, False), (f"c,{GCM}", GCM, True)],
)
def test_no_mac_is_missing_if_the_cipher_of_that_direction_needs_none(out: str, into: str, lacks: bool) -> None:
    body = bytes(16) + text("sntrup761") + text("ssh-ed25519") + text(out) + text(into) + text("umac") * 2 + NAMES * 2
    found = kex_offer.mismatch(kex_offer.parse(body), {**OURS, "ciphers": ("c", GCM, "b")})
    assert (found.kind if found else None) == ("MACs" if lacks else None)


def test_of_many_names_a_few_are_listed_and_none_is_long() -> None:
    many = kex_offer.Mismatch("ciphers", tuple(f"{'x' * 100}{number}" for number in range(10)))
    assert many.why.count("x" * 64) == 6
    assert "and 4 more" in many.why
    assert len(many.why) < 600
    assert "none" in kex_offer.Mismatch("ciphers", ()).why


def test_missing_algorithms_of_both_sides_are_named_with_the_setting() -> None:
    mismatch = kex_offer.Mismatch("ciphers", ("rot13",))
    error = kex_offer.NoCommonAlgorithm(mismatch, mismatch.hint(["aes256-ctr"]))
    assert str(error) == "the server offers only these ciphers: rot13; rdo and your ssh configuration allow none"
    assert error.hint == "add `aes256-ctr` to Ciphers in its sshd_config, or allow others here"


@given(st.binary(max_size=60))
def test_any_offer_is_decoded_or_refused(body: bytes) -> None:
    with contextlib.suppress(Violation):
        kex_offer.parse(body)
