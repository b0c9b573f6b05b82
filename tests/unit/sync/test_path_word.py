"""Tests for paths and links as words of a line."""

from __future__ import annotations

import pytest

from rdo.sync.path_word import BadWord, escaped, is_inside, read_path, unescaped


@pytest.mark.parametrize("path", [b"a/b", b"a\nb", b"a\tb", b"a\\nb", b"\\", b"\xff"])
def test_a_path_survives_encoding_and_decoding(path: bytes) -> None:
    word = escaped(path)
    assert b"\t" not in word
    assert b"\n" not in word
    assert read_path(word) == path


@pytest.mark.parametrize("word", [b"a\\x", b"a\\\n"])
def test_an_invalid_escape_is_refused(word: bytes) -> None:
    with pytest.raises(BadWord):
        unescaped(word)


@pytest.mark.parametrize("word", [b"../a", b"/a", b"a\\n/.."])
def test_a_path_outside_of_the_root_is_refused(word: bytes) -> None:
    with pytest.raises(BadWord):
        read_path(word)


def test_only_paths_inside_of_the_root_are_accepted() -> None:
    assert is_inside(b"a/b")
    for path in (b"", b"/a", b"a//b", b"a/../b", b"./a", b"a/", b"a\0", b"a" * 5000):
        assert not is_inside(path)
