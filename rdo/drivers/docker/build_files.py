"""Parses the two files of a build: which features the Dockerfile requires, and what the `.dockerignore` excludes from
the context. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from typing import NamedTuple

LINE_ENDS = re.compile(r"\\[ \t]*\n(?:[ \t]*#[^\n]*\n)*")
"""The end of a line after which an instruction continues, including comments in between."""

INSTRUCTION = re.compile(r"(?:ONBUILD\s+)?(RUN|COPY|ADD|FROM)\s+(.*)", re.IGNORECASE)

FLAG = re.compile(r"--([a-z-]+)")

CLASSIC = {"RUN": (), "COPY": ("chown", "from"), "ADD": ("chown",), "FROM": ("platform",)}
"""The flags that the engine's own builder supports, for the instructions that have more with BuildKit."""

PLATFORM = re.compile(r"\$\{?(BUILD|TARGET)(PLATFORM|OS|ARCH|VARIANT)\b")
"""The arguments that only BuildKit sets."""

HERE_DOCUMENT = re.compile(r"(?<!<)<<-?[\"']?[A-Za-z_]")


def buildkit_feature(text: str) -> str:
    """The first instruction of a Dockerfile that only BuildKit understands, such as `RUN --mount`; empty if there is
    none.

    See the Dockerfile reference. A here-document of the shell looks the same as one of BuildKit.
    """
    for line in LINE_ENDS.sub(" ", text.replace("\r\n", "\n")).split("\n"):
        found = INSTRUCTION.match(line.strip())
        if found and (word := _word(found[1].upper(), found[2])):
            return word
    return ""


def _word(instruction: str, rest: str) -> str:
    for each in rest.split():
        flag = FLAG.match(each)
        if flag is None:
            break
        if flag[1] not in CLASSIC[instruction]:
            return f"{instruction} --{flag[1]}"
    if instruction == "FROM":
        return found[0].replace("{", "") if (found := PLATFORM.search(rest)) else ""
    return f"{instruction} <<" if HERE_DOCUMENT.search(rest) else ""


PATTERN_LIMIT = 2000
"""Patterns to read."""


class IgnorePattern(NamedTuple):
    """A pattern; `keeps` means that it was preceded by `!`."""

    expression: re.Pattern[str]
    keeps: bool


def ignore_patterns(text: str) -> list[IgnorePattern]:
    """The patterns of a `.dockerignore`, as `docker build` reads it. Invalid ones are ignored.

    https://docs.docker.com/build/concepts/context/#dockerignore-files
    """
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
"""For each pattern, whether it matches a path or one of its parents."""


def hits(patterns: Sequence[IgnorePattern], path: str, above: Hits = ()) -> Hits:
    """Which patterns match a path, relative to the context; `above` are the hits of its directory."""
    if not above:
        above = [False] * len(patterns)
    return [hit or bool(each.expression.fullmatch(path)) for each, hit in zip(patterns, above, strict=True)]


def excludes(patterns: Sequence[IgnorePattern], found: Hits) -> bool:
    """Whether a path with these hits is excluded: the last pattern that matches it or one of its parents decides."""
    return next((not each.keeps for each, hit in zip(reversed(patterns), reversed(found), strict=True) if hit), False)


def may_keep_below(patterns: Sequence[IgnorePattern]) -> bool:
    """Whether something in an excluded directory may be kept nevertheless."""
    return any(pattern.keeps for pattern in patterns)


def _expression(path: str) -> str:
    """The pattern as a regular expression: `*` and `?` do not match a slash, `**` does."""
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
