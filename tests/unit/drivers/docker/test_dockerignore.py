"""What a .dockerignore leaves out: the same as for `docker build`."""

from __future__ import annotations

import pytest

from rdo.drivers.docker import dockerignore


@pytest.mark.parametrize(
    ("text", "out", "kept"),
    [
        pytest.param("a", ["a", "a/b", "a/b/c"], ["b/a", "ab"], id="name"),
        pytest.param("/a/", ["a", "a/b"], ["b/a"], id="slashes"),
        pytest.param("*.log", ["x.log"], ["d/x.log"], id="star"),
        pytest.param("*/*.log", ["d/x.log"], ["x.log", "d/e/x.log"], id="star in a directory"),
        pytest.param("**/*.log", ["x.log", "d/e/x.log"], ["x.txt"], id="any depth"),
        pytest.param("a/**", ["a/b", "a/b/c"], ["a"], id="all below"),
        pytest.param("a/**/b", ["a/b", "a/x/y/b"], ["a"], id="in between"),
        pytest.param("x?z", ["xyz"], ["x/z", "xz"], id="one character"),
        pytest.param("[a-c]1", ["b1"], ["d1"], id="set"),
        pytest.param("[^a]1", ["b1"], ["a1"], id="set that excludes"),
        pytest.param("\\*", ["*"], ["x"], id="escaped"),
        pytest.param("a+(b).c", ["a+(b).c"], ["aab.c"], id="no regular expression"),
        pytest.param("*\n!a\na/x", ["b", "a/x"], ["a", "a/b"], id="the last one wins"),
        pytest.param("\ufeff# a\n\n .\n!\n b \n", ["b"], ["a", "#"], id="comment, blank, dot"),
        pytest.param("./a/../b", ["b"], ["a"], id="cleaned"),
        pytest.param("[b-a]\nx", ["x"], ["b"], id="no sense"),
    ],
)
def test_a_path_is_left_out_by_the_last_pattern_that_matches(text: str, out: list[str], kept: list[str]) -> None:
    patterns = dockerignore.parse(text)

    def is_out(path: str) -> bool:
        hits: dockerignore.Hits = ()
        words = path.split("/")
        for depth in range(len(words)):
            hits = dockerignore.hits(patterns, "/".join(words[: depth + 1]), hits)
        return dockerignore.excludes(patterns, hits)

    assert [path for path in [*out, *kept] if is_out(path)] == out


def test_what_may_be_kept_below_is_known() -> None:
    assert dockerignore.may_keep_below(dockerignore.parse("a\n!a/b"))
    assert not dockerignore.may_keep_below(dockerignore.parse("a"))
