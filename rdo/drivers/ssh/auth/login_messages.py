"""The messages of SSH authentication (RFC 4252, 4256): encodes ours, and decodes the server's with distrust. Pure.

Written in addition to paramiko's, since paramiko signs before it knows whether the server accepts the key, and does not
reveal which methods the server accepts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from paramiko.common import MSG_SERVICE_REQUEST, MSG_USERAUTH_INFO_RESPONSE, MSG_USERAUTH_REQUEST

from rdo.drivers.ssh.algorithms import CERTIFICATE, LEGACY_RSA, Allowed
from rdo.drivers.ssh.fields import Body, MessageReader, Violation, string, text, uint32, words
from rdo.drivers.ssh.messages import EncodedMessage

PROMPT_LIMIT = 100
"""Questions at once: sshd accepts no more answers."""

PROMPT_LENGTH_LIMIT = 4096
"""Characters to show of a question, or of the text above it."""


RSA_SIGNATURES = ("rsa-sha2-512", "rsa-sha2-256")

HOST_BOUND = "publickey-hostbound@openssh.com"
HOST_BOUND_METHOD = "publickey-hostbound-v00@openssh.com"
"""The extension by which a server announces that it supports the method: OpenSSH's PROTOCOL, section 3.1."""


class AuthOutcome(NamedTuple):
    """The server's answer. `methods` may be tried next; `partial` means that this one was right, but more is
    required."""

    success: bool
    partial: bool = False
    methods: tuple[str, ...] = ()


class Prompt(NamedTuple):
    """A question from the server."""

    text: str
    echo: bool


class Questions(NamedTuple):
    """The questions that the server asks at once."""

    title: str
    instruction: str
    prompts: list[Prompt]


def ask_service() -> EncodedMessage:
    """Request the authentication service."""
    return EncodedMessage(bytes([MSG_SERVICE_REQUEST]) + text("ssh-userauth"))


def request(user: str, method: str, details: bytes = b"") -> EncodedMessage:
    """Log in by a method. The method `none` asks which there are."""
    names = text(user) + text("ssh-connection") + text(method)
    return EncodedMessage(bytes([MSG_USERAUTH_REQUEST]) + names + details)


def request_by_key(
    user: str, algorithm: str, blob: bytes, *, signed: bool, host_key: bytes | None = None
) -> EncodedMessage:
    """Log in by a key, or ask whether it would be accepted. If `signed`, a signature must follow.

    With the server's own `host_key` in it, no other server can use the signature.
    """
    details = bytes([signed]) + text(algorithm) + string(blob)
    if host_key is None:
        return request(user, "publickey", details)
    return request(user, HOST_BOUND_METHOD, details + string(host_key))


def respond(answers: Sequence[str]) -> EncodedMessage:
    """The answers to the server's questions."""
    return EncodedMessage(bytes([MSG_USERAUTH_INFO_RESPONSE]) + uint32(len(answers)) + b"".join(map(text, answers)))


def banner(body: Body) -> bytes:
    """Text that the server wants to be shown before the login."""
    return MessageReader(body).string()


def failure(body: Body) -> AuthOutcome:
    """The server rejected the request."""
    fields = MessageReader(body)
    methods = fields.names()
    return AuthOutcome(False, fields.flag(), methods)


def questions(body: Body) -> Questions:
    """The server's questions. Raises Violation."""
    fields = MessageReader(body)
    title, instruction, _language = (words(fields.string(), PROMPT_LENGTH_LIMIT) for _ in range(3))
    count = fields.number()
    if count > PROMPT_LIMIT:
        raise Violation(f"it asked {count} questions at once")
    prompts = [Prompt(words(fields.string(), PROMPT_LENGTH_LIMIT), fields.flag()) for _ in range(count)]
    return Questions(title, instruction, prompts)


def signature_algorithm(kind: str, accepted: Allowed, server: Sequence[str]) -> str | None:
    """The algorithm to log in with by a key or certificate of this type; None if one of the sides allows none.

    `accepted` is what the user allows (PubkeyAcceptedAlgorithms), `server` what the server announces; if empty,
    everything. A server that announces nothing may support only SHA-1, which is used if the user named it.
    """
    bare, end = (kind.removesuffix(CERTIFICATE), CERTIFICATE) if kind.endswith(CERTIFICATE) else (kind, "")
    if bare != LEGACY_RSA:
        return kind if accepted is None or kind in accepted else None
    known = {f"{name}{end}": name for name in (*RSA_SIGNATURES, LEGACY_RSA)}
    usual = [f"{name}{end}" for name in RSA_SIGNATURES]
    wanted = usual if accepted is None else [name for name in accepted if name in known]
    if server:
        wanted = [name for name in wanted if known[name] in server]
    elif kind in wanted:
        return kind
    return next(iter(wanted), None)
