"""Tests for the error about a shell that does not get ready."""

from __future__ import annotations

import pytest

from rdo.pool import shell


@pytest.mark.parametrize(
    ("line", "said"),
    [("", "it printed nothing"), ("name?", "the last line it printed is: name?")],
)
def test_a_silent_shell_is_distinguished_from_one_that_waits_after_a_line(line: str, said: str) -> None:
    assert shell._silence(line) == said
