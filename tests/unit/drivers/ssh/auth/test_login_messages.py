"""Tests for the messages of a login, in both directions (RFC 4252, 4256)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdo.drivers.ssh.auth import login_messages
from rdo.drivers.ssh.auth.login_messages import AuthOutcome, Prompt, signature_algorithm
from rdo.drivers.ssh.fields import BlobReader, Violation, string, text, uint32

KEY = string(b"ssh-ed25519") + string(b"numbers")


def test_a_request_names_the_user_the_service_and_the_method() -> None:
    fields = BlobReader(login_messages.request("me", "password", b"\0" + text("secret")).payload)
    assert (fields.number(1), *(fields.string() for _ in range(3))) == (50, b"me", b"ssh-connection", b"password")
    assert (fields.flag(), fields.string(), fields.is_at_end) == (False, b"secret", True)
    assert login_messages.ask_service().payload == b"\5" + text("ssh-userauth")


@pytest.mark.parametrize("signed", [False, True])
def test_a_request_by_key_names_algorithm_and_key_and_whether_a_signature_follows(signed: bool) -> None:
    fields = BlobReader(login_messages.request_by_key("me", "rsa-sha2-512", KEY, signed=signed).payload)
    fields.take(1)
    assert [fields.string() for _ in range(3)][2] == b"publickey"
    assert (fields.flag(), fields.strings()) == (signed, [b"rsa-sha2-512", KEY])


def test_a_request_that_is_bound_to_the_server_has_its_key_last() -> None:
    message = login_messages.request_by_key("me", "ssh-ed25519", KEY, signed=True, host_key=b"host")
    fields = BlobReader(message.payload)
    fields.take(1)
    assert [fields.string() for _ in range(3)][2] == b"publickey-hostbound-v00@openssh.com"
    assert (fields.flag(), fields.strings()) == (True, [b"ssh-ed25519", KEY, b"host"])


def test_answers_are_counted() -> None:
    assert login_messages.respond(["one", ""]).payload == b"\x3d" + uint32(2) + text("one") + text("")
    assert login_messages.respond([]).payload == b"\x3d" + uint32(0)


def test_the_replies_to_a_login_are_decoded() -> None:
    assert login_messages.failure(text("publickey,password") + b"\1") == AuthOutcome(
        False, True, ("publickey", "password")
    )
    assert login_messages.banner(text("hello") + text("en")) == b"hello"
    body = text("title") + text("do") + text("en") + uint32(2) + text("Code: ") + b"\1" + text("PIN: ") + b"\0"
    assert login_messages.questions(body) == ("title", "do", [Prompt("Code: ", True), Prompt("PIN: ", False)])


def test_too_many_questions_are_a_violation() -> None:
    with pytest.raises(Violation, match="4294967295 questions"):
        login_messages.questions(text("") * 3 + uint32(2**32 - 1))


@given(st.binary(max_size=60))
def test_any_message_in_a_login_is_decoded_or_refused(body: bytes) -> None:
    for read in (login_messages.failure, login_messages.banner, login_messages.questions):
        try:
            read(body)
        except Violation:
            continue


CERT = "-cert-v01@openssh.com"


@pytest.mark.parametrize(
    ("kind", "accepted", "server", "expected"),
    [
        ("ssh-ed25519", None, (), "ssh-ed25519"),
        ("ssh-ed25519", (), (), None),
        ("ssh-rsa", (), (), None),
        ("ssh-ed25519", ("ssh-ed25519",), ("rsa-sha2-512",), "ssh-ed25519"),
        ("ssh-ed25519", ("rsa-sha2-512",), (), None),
        ("sk-ssh-ed25519@openssh.com", ("sk-ssh-ed25519@openssh.com",), (), "sk-ssh-ed25519@openssh.com"),
        ("ssh-rsa", None, (), "rsa-sha2-512"),
        ("ssh-rsa", None, ("rsa-sha2-256",), "rsa-sha2-256"),
        ("ssh-rsa", None, ("ssh-rsa",), None),
        ("ssh-rsa", ("rsa-sha2-256", "rsa-sha2-512"), ("rsa-sha2-512", "rsa-sha2-256"), "rsa-sha2-256"),
        ("ssh-rsa", ("rsa-sha2-512", "ssh-rsa"), (), "ssh-rsa"),
        ("ssh-rsa", ("rsa-sha2-512", "ssh-rsa"), ("ssh-rsa", "rsa-sha2-512"), "rsa-sha2-512"),
        ("ssh-rsa", ("ssh-ed25519",), (), None),
        (f"ssh-rsa{CERT}", (f"rsa-sha2-256{CERT}",), ("rsa-sha2-512", "rsa-sha2-256"), f"rsa-sha2-256{CERT}"),
        (f"ssh-rsa{CERT}", ("rsa-sha2-256",), (), None),
        (f"ssh-ed25519{CERT}", (f"ssh-ed25519{CERT}",), (), f"ssh-ed25519{CERT}"),
    ],
)
def test_a_key_is_used_with_an_algorithm_that_both_sides_allow(
    kind: str, accepted: tuple[str, ...] | None, server: tuple[str, ...], expected: str | None
) -> None:
    assert signature_algorithm(kind, accepted, server) == expected
