"""Tests for the command line of each run of `rdo --watch`."""

from __future__ import annotations

import pytest

from rdo.rerun import without_watch


@pytest.mark.parametrize(
    ("words", "rest"),
    [
        (["--watch", "make"], ["make"]),
        (["-p", "ci", "--watch", "-v", "make", "--watch"], ["-p", "ci", "-v", "make", "--watch"]),
        (["--watch", "--watch", "make"], ["make"]),
        (["-p", "--watch", "--watch", "make"], ["-p", "--watch", "make"]),
        (["--watch", "-c", "a --watch", "--watch"], ["-c", "a --watch", "--watch"]),
        (["make", "--watch"], ["make", "--watch"]),
    ],
)
def test_it_lacks_the_option_and_nothing_else(words: list[str], rest: list[str]) -> None:
    assert without_watch(words) == rest
