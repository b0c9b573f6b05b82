"""Tests for splitting text of other programs only at LF, spaces and tabs."""

from __future__ import annotations

import pytest

from rdo.util.lines import split_lines, split_words, strip_blanks

ODD = ["\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\xa0", "\u2028", "\u2029", "\u3000"]
"""Characters at which Python's own methods split or strip."""


@pytest.mark.parametrize("text", ["", "one", "one\n", "one\ntwo", "\n", "one\n\n"])
def test_lines_end_at_each_lf(text: str) -> None:
    expected = text.encode().splitlines()  # for bytes without a CR, Python's method does the same
    assert [line.encode() for line in split_lines(text)] == expected


@pytest.mark.parametrize("odd", ODD)
def test_no_other_character_ends_a_line_or_a_word(odd: str) -> None:
    text = f"a{odd}b"
    assert split_lines(text) == [text]
    assert split_words(text) == [text]
    assert strip_blanks(f"{text}.") == f"{text}."


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd != "\r"])
def test_odd_characters_are_not_stripped(odd: str) -> None:
    assert strip_blanks(f" \t{odd}\r\n") == odd


def test_words_are_separated_by_blanks() -> None:
    assert split_words("\t one  two\tthree ") == ["one", "two", "three"]
    assert split_words(" ") == []
