"""Tests for the changes that turn one tree into another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rdo.sync.entry import Changes, Entry, Tree, changes

FILE = Entry("file", 0o644, 3, 1_700_000_000_123_456_789)
DIRECTORY = Entry("directory", 0o755)
LINK = Entry("link", link=b"a")


def test_a_tree_does_not_differ_from_itself() -> None:
    tree = {b"a": FILE}
    assert not changes(tree, tree)
    assert not changes(tree, dict(tree))


def test_what_is_new_or_different_is_put() -> None:
    old = {b"a": FILE, b"b": FILE, b"c": LINK, b"d": DIRECTORY}
    new = {b"a": FILE, b"b": FILE._replace(mode=0o755), b"c": LINK._replace(link=b"b"), b"d": FILE, b"e": FILE}
    assert changes(old, new) == Changes({path: new[path] for path in (b"b", b"c", b"d", b"e")}, [])


def test_what_is_below_a_directory_is_removed_before_it() -> None:
    old = {b"d": DIRECTORY, b"d/e": DIRECTORY, b"d/e/f": FILE, b"d-": FILE, b"d/a": FILE}
    removed = changes(old, {}).removed
    assert sorted(removed) == sorted(old)
    assert removed.index(b"d/e/f") < removed.index(b"d/e") < removed.index(b"d")


def test_a_directory_that_became_a_file_loses_what_was_below_it() -> None:
    old = {b"d": DIRECTORY, b"d/a": FILE}
    assert changes(old, {b"d": FILE}) == Changes({b"d": FILE}, [b"d/a"])


PATHS = st.lists(st.sampled_from([b"a", b"b", b"\xff", b"c\nd"]), min_size=1, max_size=3).map(b"/".join)
TREES = st.dictionaries(PATHS, st.sampled_from([FILE, LINK, DIRECTORY, FILE._replace(size=4)]))


@given(TREES, TREES)
def test_the_changes_turn_the_old_tree_into_the_new_one(old: Tree, new: Tree) -> None:
    found = changes(old, new)
    kept = {path: entry for path, entry in old.items() if path not in found.removed}
    assert {**kept, **found.put} == new
    assert not any(entry.same(old.get(path)) for path, entry in found.put.items())
    assert bool(found) == (old != new)


def test_versions_are_compared_if_both_states_have_one() -> None:
    written = FILE._replace(version=1)
    assert written.same(written._replace())
    assert not written.same(written._replace(version=2))
    assert written.same(FILE)
    assert FILE.same(written)
    assert not written.same(FILE._replace(size=4))
    assert not written.same(None)
    assert changes({b"a": written}, {b"a": FILE._replace(version=2)})
    assert not changes({b"a": FILE}, {b"a": written})
