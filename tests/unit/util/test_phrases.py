"""Tests for values and names as an error line shows them."""

from __future__ import annotations

from rdo.util.phrases import listed, shortened


def test_of_many_names_the_first_ones_are_listed() -> None:
    assert listed([str(number) for number in range(99)], 3) == "`0`, `1`, `2` ..."
    assert listed(["a", "b"], 2) == listed(["a", "b"]) == "`a`, `b`"


def test_a_long_text_is_shortened() -> None:
    assert shortened("abcd", 3) == "abc..."
    assert shortened("abc", 3) == "abc"
    assert shortened("x" * 99) == "x" * 40 + "..."
