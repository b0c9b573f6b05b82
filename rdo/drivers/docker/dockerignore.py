"""What a `.dockerignore` leaves out of a build's context, as `docker build` reads it: the last pattern that matches a
path, or a directory above it, decides. Pure. https://docs.docker.com/build/concepts/context/#dockerignore-files"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from typing import NamedTuple

PATTERN_LIMIT = 2000
"""Patterns that are read."""


class IgnorePattern(NamedTuple):
    """One line; `keeps` has a `!` before it."""

    expression: re.Pattern[str]
    keeps: bool


def parse(text: str) -> list[IgnorePattern]:
    """The patterns of a file. One that makes no sense is left out."""
    found = []
    for line in text.removeprefix("\ufeff").split("\n")[:PATTERN_LIMIT]:
        word = line.strip()
        if line.startswith("#") or not word:
            continue
        keeps = word.startswith("!")
        path = posixpath.normpath(word[keeps:].strip() or ".").lstrip("/")
        if path in ("", "."):
            continue
        try:
            found.append(IgnorePattern(re.compile(_expression(path), re.DOTALL), keeps))
        except re.error:
            continue
    return found


Hits = Sequence[bool]
"""For each pattern whether it matches a path, or a directory above it."""


def hits(patterns: Sequence[IgnorePattern], path: str, above: Hits = ()) -> Hits:
    """Which patterns match a path, relative to the context; `above` are those of its directory."""
    if not above:
        above = [False] * len(patterns)
    return [hit or bool(each.expression.fullmatch(path)) for each, hit in zip(patterns, above, strict=True)]


def excludes(patterns: Sequence[IgnorePattern], found: Hits) -> bool:
    """Whether what has these hits is left out: by the last one."""
    return next((not each.keeps for each, hit in zip(reversed(patterns), reversed(found), strict=True) if hit), False)


def may_keep_below(patterns: Sequence[IgnorePattern]) -> bool:
    """Whether something in a directory that is left out may be kept all the same."""
    return any(pattern.keeps for pattern in patterns)


def _expression(path: str) -> str:
    """A path's pattern as a regular expression: `*` and `?` stay in a directory, `**` does not."""
    parts: list[str] = []
    position = 0
    while position < len(path):
        token = _TOKEN.match(path, position)
        assert token is not None  # the last alternative matches any character
        position = token.end()
        parts.append(_translated(token, position == len(path)))
    return "".join(parts)


_TOKEN = re.compile(
    r"(?P<deep>\*\*/?)|(?P<star>\*)|(?P<one>\?)|(?P<set>\[\^?[^]]+\])|\\(?P<plain>.)|(?P<other>.)", re.DOTALL
)


def _translated(token: re.Match[str], last: bool) -> str:
    if token["deep"]:
        return ".*" if last else "(?:.*/)?"
    if token["star"]:
        return "[^/]*"
    if token["one"]:
        return "[^/]"
    return token["set"] or re.escape(token["plain"] or token["other"])
