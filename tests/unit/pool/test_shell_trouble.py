"""What is said of a shell that does not get ready."""

from __future__ import annotations

import pytest

from rdo.pool import shell


@pytest.mark.parametrize(
    ("line", "said"),
    [("", "it printed nothing"), ("name?", "the last line it printed is: name?")],
)
def test_a_shell_that_printed_nothing_is_told_from_one_that_waits_after_a_line(line: str, said: str) -> None:
    assert shell._silence(line) == said
