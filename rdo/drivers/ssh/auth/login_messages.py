"""What the server says during the login (RFC 4252, 4256), taken apart with distrust. Pure."""

from __future__ import annotations

from typing import NamedTuple

from rdo.drivers.ssh.fields import Body, FieldReader, Violation, words

PROMPT_LIMIT = 100
"""Questions at once: sshd takes no more answers."""

PROMPT_LENGTH_LIMIT = 4096
"""Characters of one question, or of what stands above it, that are shown."""


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


def banner(body: Body) -> bytes:
    """What the server would have shown before the login."""
    return FieldReader(body).string()


def failure(body: Body) -> AuthOutcome:
    """The server refused that."""
    fields = FieldReader(body)
    methods = fields.names()
    return AuthOutcome(False, fields.flag(), methods)


def questions(body: Body) -> Questions:
    """What the server asks. Raises Violation."""
    fields = FieldReader(body)
    title, instruction, _language = (words(fields.string(), PROMPT_LENGTH_LIMIT) for _ in range(3))
    count = fields.number()
    if count > PROMPT_LIMIT:
        raise Violation(f"it asked {count} questions at once")
    prompts = [Prompt(words(fields.string(), PROMPT_LENGTH_LIMIT), fields.flag()) for _ in range(count)]
    return Questions(title, instruction, prompts)
