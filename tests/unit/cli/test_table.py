"""Tests for tables, times and sizes in a form for people."""

from __future__ import annotations

import pytest

from rdo.cli import table


def test_columns_are_aligned_and_control_characters_are_shown_as_text() -> None:
    assert table.render([("a", "b", "c"), ("long", "x\x1by", "")]) == ["a     b       c", "long  x\\x1by"]


def test_columns_are_aligned_as_a_terminal_shows_them() -> None:
    assert table.render([("\u6f22\u5b57", "b"), ("e\u0301", "c"), ("long", "d")]) == [
        "\u6f22\u5b57  b",
        "e\u0301     c",
        "long  d",
    ]


def test_a_long_text_does_not_shift_other_rows() -> None:
    assert table.render([("a", "b"), ("x" * 81, "c"), ("", "d")]) == ["a  b", f"{'x' * 81}  c", "   d"]
    assert table.render([("x" * 81, "c")]) == [f"{'x' * 81}  c"]


def test_no_rows_are_no_lines() -> None:
    assert table.render([]) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0, "0s"), (59.9, "59s"), (60, "1m"), (3661, "1h 1m"), (3601, "1h 1s"), (90000, "1d 1h")],
)
def test_a_time_is_shown_in_its_two_largest_units(seconds: float | None, text: str) -> None:
    assert table.duration(seconds) == text


def test_a_size_is_shown_in_mib() -> None:
    assert (table.mebibytes(None), table.mebibytes(3 * 2**20)) == ("-", "3 MiB")
