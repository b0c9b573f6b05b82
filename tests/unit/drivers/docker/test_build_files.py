"""Tests for which instructions of a Dockerfile need BuildKit, and what a .dockerignore excludes, as with `docker
build`.
"""

from __future__ import annotations

import pytest

from rdo.drivers.docker import build_files
from rdo.drivers.docker.build_files import buildkit_feature


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", ""),
        ("FROM a\nRUN make --mount\nCOPY --chown=a --from=b /x /y\nADD --chown=a x y\n", ""),
        ("FROM --platform=linux/amd64 a AS b\n# RUN --mount=x\nLABEL a=--mount\n", ""),
        ("FROM a\nCOPY --from=b", ""),
        ("# syntax=docker/dockerfile:1\nFROM a\nRUN cat <<<x; echo $((1 << 2))", ""),
        ("FROM a\nRUN --mount=type=cache,target=/x true", "RUN --mount"),
        ("FROM a\r\nrun \\\r\n  # why\r\n  --network=none \\\r\n  true\r\n", "RUN --network"),
        ("FROM a\nCOPY --from=b --link x y", "COPY --link"),
        ("FROM a\n  ADD --checksum=sha256:0 http://x y", "ADD --checksum"),
        ("FROM a\nONBUILD RUN --mount=type=secret,id=x true", "RUN --mount"),
        ("FROM --platform=$BUILDPLATFORM a", "$BUILDPLATFORM"),
        ("FROM a:${TARGETARCH}", "$TARGETARCH"),
        ("FROM a\nRUN <<EOF\nset -e\nEOF", "RUN <<"),
        ("FROM a\nCOPY <<-'EOF' /x\nEOF", "COPY <<"),
    ],
)
def test_the_first_word_that_the_engine_s_own_builder_lacks_is_found(text: str, word: str) -> None:
    assert buildkit_feature(text) == word


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
    patterns = build_files.ignore_patterns(text)

    def is_out(path: str) -> bool:
        hits: build_files.Hits = ()
        words = path.split("/")
        for depth in range(len(words)):
            hits = build_files.hits(patterns, "/".join(words[: depth + 1]), hits)
        return build_files.excludes(patterns, hits)

    assert [path for path in [*out, *kept] if is_out(path)] == out


def test_it_is_known_whether_files_below_an_ignored_directory_may_be_kept() -> None:
    assert build_files.may_keep_below(build_files.ignore_patterns("a\n!a/b"))
    assert not build_files.may_keep_below(build_files.ignore_patterns("a"))
