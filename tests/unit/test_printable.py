"""Tests for how untrusted text is shown on a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdo import printable
from rdo.printable import BLANK, cut, escaped, fault, width, wrapped


@pytest.mark.parametrize(
    "char",
    "\0\x1b\x7f\x9b\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u180e\u2000\u200b\u200d\u200e\u2028\u202e\u2060\u2066\u2800\u3000"
    "\u3164\ufe0f\ufeff\uffa0\ufff9\U0001d159\U000e0001\U000e0041\U000e0100\ue000\ud800",
    ids=lambda char: f"U+{ord(char):04X}",
)
def test_invisible_characters_are_refused_and_escaped(char: str) -> None:
    assert fault(f"a{char}b").startswith("contains ")
    assert escaped(f"a{char}b") == f"a\\x{ord(char):02x}b" if ord(char) < 256 else f"a\\u{ord(char):04x}b"


@pytest.mark.parametrize("text", ["a b", "größe", "gro\u0308ße", "大字", "สวัสดี", "हिन्दी", "שלום", "🙂", "é̂"])
def test_ordinary_text_is_left_unchanged(text: str) -> None:
    assert fault(text) == ""
    assert escaped(text) == text


def test_accents_are_not_piled_up_over_the_lines_above() -> None:
    assert fault("a" + "\u0301" * 4) == ""
    assert fault("a" + "\u0301" * 5) == "contains stacked accents"
    assert escaped("a" + "\u0301" * 6 + "b") == "a" + "\u0301" * 4 + "\\u0301" * 2 + "b"


def test_blanks_in_a_row_are_refused_but_can_be_shown() -> None:
    assert fault("a  b") == "contains several spaces in a row"
    assert escaped("a  b") == "a  b"


def test_every_character_that_unicode_ignores_by_default_is_known() -> None:
    """Those with Default_Ignorable_Code_Point, except for categories C and Z. They are listed by name, because Python
    does not have the property.
    """
    named = ("FILLER", "VARIATION SELECTOR", "GRAPHEME JOINER", "VOWEL INHERENT", "BLANK")
    found = {
        char
        for char in map(chr, range(0x110000))
        if unicodedata.category(char)[0] not in "CZ" and any(word in unicodedata.name(char, "") for word in named)
    }
    shown = ("SYMBOL", "GAP FILLER", "PUNCTUATION")  # visible signs that represent a blank
    assert {char for char in found - BLANK if not any(word in unicodedata.name(char) for word in shown)} == set()


def test_a_cut_text_keeps_both_ends_and_says_how_much_is_missing() -> None:
    text = "start" + "x" * 500 + "end"
    shown = cut(text, 60)
    assert len(shown) <= 60
    assert shown.startswith("startx")
    assert "xend (" in shown
    start, _, rest = shown.partition("...")
    end, _, count = rest.partition(" (")
    assert len(start) + len(end) + int(count.split()[0]) == len(text)
    assert cut(text, len(text)) == text


@given(st.text(st.characters(codec="utf-8"), max_size=300), st.integers(40, 100))
def test_no_text_takes_more_cells_than_it_may(text: str, columns: int) -> None:
    shown = printable.escaped(text)
    assert width(cut(shown, columns)) <= columns
    lines = wrapped(shown, columns, "      ")
    assert all(width(line) <= columns for line in lines)
    assert "".join([lines[0], *(line.removeprefix("      ") for line in lines[1:])]) == shown


def test_wide_letters_take_two_cells_and_accents_none() -> None:
    assert width("大a\u0301b") == 4
    assert wrapped("大" * 30, 41, "  ") == ["大" * 20, "  " + "大" * 10]
