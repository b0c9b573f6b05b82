"""Tests for error messages, including that no name in them can control the terminal."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdo.errors import ConfigError, ConnectError, LinkLost, RdoError, SetupError, UsageError, printable, reason


@pytest.mark.parametrize(
    ("error", "line"),
    [
        pytest.param(RdoError("it broke"), "it broke", id="what"),
        pytest.param(RdoError("it broke", "too old"), "it broke: too old", id="what and why"),
        pytest.param(RdoError("it broke", "", "buy one"), "it broke; buy one", id="what and hint"),
        pytest.param(RdoError("it broke", "too old", "buy one"), "it broke: too old; buy one", id="all three"),
        pytest.param(RdoError("no ``"), "no `''`", id="an empty name"),
        pytest.param(RdoError("no `a\nb`", "\x1b[31m", "\r"), r"no `a\x0ab`: \x1b[31m; \x0d", id="controls in each"),
    ],
)
def test_an_error_is_one_line_of_what_why_and_hint(error: RdoError, line: str) -> None:
    assert str(error) == line


@pytest.mark.parametrize("kind", [ConfigError, ConnectError, LinkLost, SetupError, UsageError])
def test_every_kind_of_error_keeps_its_parts(kind: type[RdoError]) -> None:
    error = kind("what", "why", "hint")
    assert isinstance(error, RdoError)
    assert (error.what, error.why, error.hint) == ("what", "why", "hint")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("", "", id="empty"),
        pytest.param("naïve `größe` 大 🙂", "naïve `größe` 大 🙂", id="text of any script"),
        pytest.param(r"C:\n", r"C:\n", id="a backslash stays one"),
        pytest.param("a\nb\tc\rd\0", r"a\x0ab\x09c\x0dd\x00", id="control characters"),
        pytest.param("\x1b]0;owned\x07", r"\x1b]0;owned\x07", id="an escape sequence"),
        pytest.param("\x9b31m", r"\x9b31m", id="an escape sequence of 8-bit controls"),
        pytest.param("\udcff\udc80", r"\xff\x80", id="bytes that are not UTF-8"),
        pytest.param("\ud800", r"\ud800", id="half a character"),
        pytest.param("a\u202eb\u2028c", r"a\u202eb\u2028c", id="direction and line separators"),
        pytest.param("\U000e0001", r"\ue0001", id="an invisible character of five digits"),
    ],
)
def test_what_cannot_be_printed_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_huge_part_loses_its_middle_and_the_hint_stays() -> None:
    line = str(RdoError("no `" + "a" * 5000 + "`", "b" * 5000, "type `x`"))
    assert line.startswith("no `aaa")
    assert line.count("... (") == 2
    assert line.endswith("bbb; type `x`")
    assert len(line) < 3200


def test_a_run_of_blanks_is_escaped_so_that_it_cannot_start_a_new_row() -> None:
    assert str(RdoError("no `a   b`")) == "no `a\\x20\\x20 b`"


@given(st.text(st.characters()))
def test_escaping_makes_any_text_printable_and_is_idempotent(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "permission denied"),
        (OSError("odd"), "odd"),
        (ValueError("Odd"), "Odd"),
    ],
)
def test_a_reason_is_the_systems_message_without_its_number(error: Exception, words: str) -> None:
    assert reason(error) == words
