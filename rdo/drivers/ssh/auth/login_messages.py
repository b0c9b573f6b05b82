"""The messages of SSH authentication (RFC 4252, 4256) as bytes: ours, and the server's, read with distrust. Pure.

Written beside paramiko's own because that signs before it knows whether the server accepts the key, and keeps the
methods the server would take to itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from paramiko.common import MSG_SERVICE_REQUEST, MSG_USERAUTH_INFO_RESPONSE, MSG_USERAUTH_REQUEST

from rdo.drivers.ssh.algorithms import CERTIFICATE, LEGACY_RSA, Allowed
from rdo.drivers.ssh.fields import Body, MessageReader, Violation, string, text, uint32, words
from rdo.drivers.ssh.messages import EncodedMessage

PROMPT_LIMIT = 100
"""Questions at once: sshd takes no more answers."""

PROMPT_LENGTH_LIMIT = 4096
"""Characters of one question, or of what stands above it, that are shown."""


RSA_SIGNATURES = ("rsa-sha2-512", "rsa-sha2-256")

HOST_BOUND = "publickey-hostbound@openssh.com"
HOST_BOUND_METHOD = "publickey-hostbound-v00@openssh.com"
"""The extension by which a server says that it knows the method: OpenSSH's PROTOCOL, section 3.1."""


class AuthOutcome(NamedTuple):
    """The server's answer. `methods` may go on; `partial`: this one was right, and more is wanted."""

    success: bool
    partial: bool = False
    methods: tuple[str, ...] = ()


class Prompt(NamedTuple):
    """A question of the server."""

    text: str
    echo: bool


class Questions(NamedTuple):
    """What the server asks at once."""

    title: str
    instruction: str
    prompts: list[Prompt]


def ask_service() -> EncodedMessage:
    """Ask to be authenticated."""
    return EncodedMessage(bytes([MSG_SERVICE_REQUEST]) + text("ssh-userauth"))


def request(user: str, method: str, details: bytes = b"") -> EncodedMessage:
    """Log in by a method; by `none`, ask what there is."""
    names = text(user) + text("ssh-connection") + text(method)
    return EncodedMessage(bytes([MSG_USERAUTH_REQUEST]) + names + details)


def request_by_key(
    user: str, algorithm: str, blob: bytes, *, signed: bool, host_key: bytes | None = None
) -> EncodedMessage:
    """Log in by a key, or ask whether that would do; its signature is to follow where there is one.

    With the server's own `host_key` in it no other server can use that.
    """
    details = bytes([signed]) + text(algorithm) + string(blob)
    if host_key is None:
        return request(user, "publickey", details)
    return request(user, HOST_BOUND_METHOD, details + string(host_key))


def respond(answers: Sequence[str]) -> EncodedMessage:
    """The answers to the server's questions."""
    return EncodedMessage(bytes([MSG_USERAUTH_INFO_RESPONSE]) + uint32(len(answers)) + b"".join(map(text, answers)))


def banner(body: Body) -> bytes:
    """What the server would have shown before the login."""
    return MessageReader(body).string()


def failure(body: Body) -> AuthOutcome:
    """The server refused that."""
    fields = MessageReader(body)
    methods = fields.names()
    return AuthOutcome(False, fields.flag(), methods)


def questions(body: Body) -> Questions:
    """What the server asks. Raises Violation."""
    fields = MessageReader(body)
    title, instruction, _language = (words(fields.string(), PROMPT_LENGTH_LIMIT) for _ in range(3))
    count = fields.number()
    if count > PROMPT_LIMIT:
        raise Violation(f"it asked {count} questions at once")
    prompts = [Prompt(words(fields.string(), PROMPT_LENGTH_LIMIT), fields.flag()) for _ in range(count)]
    return Questions(title, instruction, prompts)


def signature_algorithm(kind: str, accepted: Allowed, server: Sequence[str]) -> str | None:
    """The algorithm to log in with by a key or certificate of this type; None where neither side has one for it.

    `accepted` is what the user allows (PubkeyAcceptedAlgorithms), `server` what the server names, nothing: all.
    A server that names nothing may know SHA-1 alone, which is used where the user named that.
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
