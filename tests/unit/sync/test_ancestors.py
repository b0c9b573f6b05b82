"""Tests for the directories that a path is in."""

from __future__ import annotations

from rdo.sync.ancestors import all_ancestors, ancestors


def test_the_ancestors_of_a_path_begin_with_its_directory() -> None:
    assert list(ancestors(b"a/b/c")) == [b"a/b", b"a"]


def test_a_path_at_the_top_has_no_ancestors() -> None:
    assert list(ancestors(b"a")) == []


def test_paths_in_one_directory_share_its_ancestors() -> None:
    assert all_ancestors([b"a/b/c", b"a/b/d", b"e/f", b"g"]) == {b"a", b"a/b", b"e"}
