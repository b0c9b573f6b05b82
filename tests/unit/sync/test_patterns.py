"""Tests for the globs of pull, include and exclude: as in gitignore(5), and relative to the root."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rdo.sync.patterns import KEPT_DIRECTORIES, Patterns, claimed_twice


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("coverage.xml", b"coverage.xml"),
        ("dist", b"dist/a/b"),
        ("dist/", b"dist/a/b"),
        ("dist/**", b"dist/a"),
        ("dist/**", b"dist/a/b"),
        ("./dist//a", b"dist/a"),
        ("*.o", b"a.o"),
        ("*.o", b".o"),
        ("*", b".hidden"),
        ("dist/*", b"dist/a/b"),
        ("**/*.o", b"a.o"),
        ("**/*.o", b"x/y/a.o"),
        ("**", b"a/b"),
        ("**/**/a", b"a"),
        ("a/**/b", b"a/b"),
        ("a/**/b", b"a/x/y/b"),
        ("a/**/b", b"a/x/y/b/c"),
        ("a/**/b/**", b"a/x/b/c"),
        ("a?c", b"a\nc"),
        ("a?c", b"a\xffc"),
        ("[a-c]x", b"bx"),
        ("[!a-c]x", b"dx"),
        ("[^a-c]x", b"dx"),
        ("[]]", b"]"),
        ("[!]]", b"a"),
        ("[a\\]]", b"]"),
        ("[[:digit:]_]", b"7"),
        ("[a-]", b"-"),
        ("\\*", b"*"),
        ("a\\", b"a\\"),
        ("[a", b"[a"),
        ("a*b*c", b"a-b-b-c"),
        ("a**c", b"abc"),
        ("a*", b"a"),
        ("*a*b", b"aab"),
        ("\u00e9", "\u00e9".encode()),
        ("\udcff*", b"\xffa"),
    ],
)
def test_a_path_is_matched(pattern: str, path: bytes) -> None:
    assert Patterns([pattern]).matches(path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("coverage.xml", b"a/coverage.xml"),
        ("dist/", b"dist"),
        ("dist/**", b"dist"),
        ("dist", b"dist2"),
        ("*.o", b"x/a.o"),
        ("a?c", b"a/c"),
        ("a*c", b"a/c"),
        ("a/**/b", b"a/x/c"),
        ("a/**/b", b"b"),
        ("[a-c]x", b"dx"),
        ("[c-a]x", b"bx"),
        ("[[:digit:]]", b"a"),
        ("[[:none:]]", b"a"),
        ("\\*", b"a"),
        ("a*b*c", b"a-c-b"),
        ("README", b"readme"),
    ],
)
def test_another_path_is_not_matched(pattern: str, path: bytes) -> None:
    assert not Patterns([pattern]).matches(path)


def test_a_directory_is_matched_by_a_pattern_for_directories() -> None:
    assert Patterns(["dist/"]).matches(b"dist", directory=True)
    assert not Patterns(["dist/**"]).matches(b"dist", directory=True)


def test_directories_in_which_something_may_match_are_known() -> None:
    patterns = Patterns(["a/b/*.o", "dist", "x/**/y"])
    assert [patterns.may_match_below(path) for path in (b"", b"a", b"a/b", b"dist/z", b"x", b"x/z/z")] == [True] * 6
    assert [patterns.may_match_below(path) for path in (b"b", b"a/c", b"a/b/c", b"c/d")] == [False] * 4
    assert not Patterns([]).may_match_below(b"a")
    assert not Patterns([]).matches(b"a")
    assert bool(patterns)
    assert not Patterns([])


def test_directories_in_which_everything_matches_are_known() -> None:
    patterns = Patterns(["a/**", "b", "c/*", "d/**/*", "e/**/x", "f/*/", "g/**/"])
    assert [patterns.covers_below(path) for path in (b"a", b"a/z", b"b", b"c", b"c/z", b"d")] == [True] * 6
    assert [patterns.covers_below(path) for path in (b"", b"e", b"f", b"g", b"h")] == [False] * 5


@pytest.mark.parametrize(
    ("patterns", "prefixes"),
    [
        (["dist/**", "coverage.xml"], (b"coverage.xml", b"dist")),
        (["dist/a", "dist", "dist/b/*.o", "dist-b"], (b"dist", b"dist-b")),
        (["*.o", "a"], (b"",)),
        (["a/**/b/c"], (b"a",)),
        (["a/\\*\\b/c*"], (b"a/*b",)),
        ([], ()),
    ],
)
def test_a_search_begins_where_the_wildcards_do(patterns: list[str], prefixes: tuple[bytes, ...]) -> None:
    assert Patterns(patterns).prefixes == prefixes


@pytest.mark.parametrize(
    ("some", "others", "both"),
    [
        (["a", "b"], ["b", "c"], "b"),
        (["dist/notes.txt"], ["dist/**"], "dist/notes.txt"),
        (["dist/**"], ["dist/notes.txt"], "dist/notes.txt"),
        (["*.o"], ["*.o"], "*.o"),
        (["dist/"], ["d*/"], "dist/"),
        (["a"], ["b", "a/c"], "a/c"),
        (["a/c"], ["b", "a/d"], ""),
        (["*.o"], ["a*"], ""),
        ([], ["a"], ""),
    ],
)
def test_paths_that_two_lists_match_are_found(some: list[str], others: list[str], both: str) -> None:
    assert claimed_twice(some, others) == both


def test_directories_that_may_keep_files_are_known() -> None:
    patterns = Patterns(["**/a"])
    for number in range(KEPT_DIRECTORIES + 10):
        assert patterns.matches(b"%d/a" % number)
    assert len(patterns._left) <= KEPT_DIRECTORIES + 2


def test_no_name_makes_a_pattern_backtrack_exponentially() -> None:
    patterns = Patterns(["**/" + "*a" * 30 + "b", "/".join(["**/a"] * 20) + "/b"])
    assert not patterns.matches(b"a" * 255 + b"/" + b"a/" * 1000 + b"a")


NAMES = st.text("ab.[]*?!-\\", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
GLOBS = st.lists(st.one_of(NAMES, st.just("**"), st.just("*")), min_size=1, max_size=4).map("/".join)
PATHS = st.lists(st.text("ab.[]*?!-\\", min_size=1, max_size=4), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", directory], check=True)
    return directory


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(glob=GLOBS, paths=st.lists(PATHS, min_size=1, max_size=20))
def test_git_has_the_same_wildcards(repository: Path, glob: str, paths: list[list[str]]) -> None:
    if re.search(r"\\(?![ab.\[\]*?!\\-])|\\$|\[", glob):
        return  # git has no pattern that ends in a backslash, and none with half a bracket
    (repository / ".gitignore").write_text(f"/{glob}\n")
    asked = ["/".join(names) for names in paths if not {".", ".."} & set(names)]
    command = ["git", "-C", str(repository), "check-ignore", "--no-index", "-z", "--stdin", "-v", "-n"]
    given = b"".join(f"./{path}\0".encode() for path in asked)
    answer = subprocess.run(command, input=given, stdout=subprocess.PIPE, check=False).stdout.split(b"\0")
    ignored = [bool(pattern) for pattern in answer[2::4]]
    assert [Patterns([glob]).matches(path.encode()) for path in asked] == ignored[: len(asked)]
