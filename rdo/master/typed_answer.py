"""Interprets what is typed in answer to a question asked while a command runs. Pure.

On a pty the answer is a key, otherwise a line. Anything that is not an answer goes to the command.
"""

from __future__ import annotations

from typing import NamedTuple

ESCAPE = b"\x1b"


class Answer(NamedTuple):
    """`is_for_command`: what was typed goes to the command nevertheless."""

    is_yes: bool
    is_for_command: bool = False


def read(typed: bytes) -> Answer | None:
    """The answer; None if this is not an answer, and the question remains open.

    Text that begins with ESC is an arrow key, a report of the terminal itself (such as that its window has the focus),
    or something pasted. Anything else but a `y` is a no.
    """
    if typed.startswith(ESCAPE) and typed != ESCAPE:
        return None
    word = typed.strip(b"\r\n").lower()
    if word in (b"y", b"yes"):
        return Answer(is_yes=True)
    return Answer(is_yes=False, is_for_command=word not in (b"n", b"no", b""))
