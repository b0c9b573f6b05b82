"""Tests for what is typed while a question is open, and whether it belongs to the question or to the command."""

from __future__ import annotations

import pytest

from rdo.master.typed_answer import Answer, read


@pytest.mark.parametrize("typed", [b"y", b"Y", b"y\n", b"yes\n", b"YES\r\n"])
def test_a_yes(typed: bytes) -> None:
    assert read(typed) == Answer(is_yes=True)


@pytest.mark.parametrize("typed", [b"n", b"N", b"no\n", b"\r", b"\n"])
def test_a_no(typed: bytes) -> None:
    assert read(typed) == Answer(is_yes=False)


@pytest.mark.parametrize(
    "typed", [b"x", b"\x03", b"\x04", b"\x1a", b"\x1b", b"ls -l\n", b"y\ny\n", b"yy", b" ", b"\0", b"\xff"]
)
def test_anything_else_is_a_no_and_also_goes_to_the_command(typed: bytes) -> None:
    assert read(typed) == Answer(is_yes=False, is_for_command=True)


@pytest.mark.parametrize("typed", [b"\x1b[A", b"\x1b[I", b"\x1bOP", b"\x1b[200~y\x1b[201~", b"\x1b]11;rgb:0/0/0\x1b\\"])
def test_sequences_that_a_terminal_sends_by_itself_are_not_an_answer(typed: bytes) -> None:
    assert read(typed) is None
