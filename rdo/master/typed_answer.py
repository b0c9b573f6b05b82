"""What is typed in answer to a question that is asked while a command runs. Pure.

On a pty that is a key, else a line. What is not an answer is for the command.
"""

from __future__ import annotations

from typing import NamedTuple

ESCAPE = b"\x1b"


class Answer(NamedTuple):
    """`is_for_command`: what was typed is meant for the command all the same."""

    is_yes: bool
    is_for_command: bool = False


def read(typed: bytes) -> Answer | None:
    """The answer; None if that is none, and the question is still open.

    What begins with ESC is an arrow key, a report of the terminal itself, such as that its window has the focus, or
    something that was pasted. Anything else but a `y` is a no.
    """
    if typed.startswith(ESCAPE) and typed != ESCAPE:
        return None
    word = typed.strip(b"\r\n").lower()
    if word in (b"y", b"yes"):
        return Answer(is_yes=True)
    return Answer(is_yes=False, is_for_command=word not in (b"n", b"no", b""))
