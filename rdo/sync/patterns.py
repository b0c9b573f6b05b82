"""The globs of `pull`, `include` and `exclude`, with the wildcards of gitignore(5). Pure.

All globs are relative to the root: `*.o` is a file in the root, `**/*.o` one at any depth. A pattern that matches a
directory covers everything below it; with a trailing slash it matches only directories, and `dir/**` only what is
below.

Patterns are matched one path component at a time, and the remainder of each pattern is cached per directory. So a
directory in which no pattern can match costs nothing, and no name, even from a hostile target, can cause backtracking.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rdo.fscodec import fsencode

ANY_DEPTH = None
"""Stands for `**` among the components of a pattern."""

KEPT_DIRECTORIES = 10_000
"""Directories for which the remainders of the patterns are cached."""

CLASSES = {
    b"alpha": b"A-Za-z",
    b"digit": b"0-9",
    b"alnum": b"A-Za-z0-9",
    b"upper": b"A-Z",
    b"lower": b"a-z",
    b"space": rb"\s",
    b"blank": rb" \t",
    b"punct": rb"!-/:-@\[-`{-~",
    b"xdigit": b"0-9A-Fa-f",
    b"cntrl": rb"\x00-\x1f\x7f",
    b"graph": b"!-~",
    b"print": b" -~",
}
"""POSIX character classes within brackets."""

_BRACKETS = re.compile(rb"\[(?P<not>[!^]?)(?P<set>\]?(?:\[:[a-z]+:\]|\\.|[^\]\\])*)\]", re.DOTALL)
_IN_BRACKETS = re.compile(rb"\[:(?P<class>[a-z]+):\]|\\(?P<escaped>.)|(?P<dash>-)|(?P<byte>.)", re.DOTALL)


class Glob(NamedTuple):
    """A pattern: a condition for each component, and ANY_DEPTH for any number of components."""

    names: tuple[re.Pattern[bytes] | None, ...]
    only_directories: bool


class _Left(NamedTuple):
    """The remainders of the patterns in a directory: the index of a glob, and of its next component; or none, since a
    parent directory matches as a whole."""

    positions: tuple[tuple[Glob, int], ...]
    covered: bool


class Patterns:
    """A set of globs, any of which may match."""

    def __init__(self, patterns: Sequence[str]) -> None:
        parts = [_parts(fsencode(pattern)) for pattern in patterns]
        globs = [Glob(tuple(map(_name, names)), ends) for names, ends in parts]
        self._root = _Left(tuple((glob, 0) for glob in globs), covered=False)
        self._left: dict[bytes, _Left] = {}
        self.prefixes: tuple[bytes, ...] = _topmost({_prefix(names) for names, _ in parts})
        """Where a search has to begin: paths without wildcards, none of which is below another. The root is the empty
        path. A glob without wildcards is its own prefix."""

    def __bool__(self) -> bool:
        return bool(self._root.positions)

    def matches(self, path: bytes, directory: bool = False) -> bool:
        """Whether a pattern matches the path or one of its parents. `directory`: the path is itself a directory."""
        if not self._root.positions:
            return False
        parent, _, name = path.rpartition(b"/")
        left = self._left_in(parent)
        return left.covered or any(
            _ends(glob, at) and (directory or not glob.only_directories) for glob, at in _matching(left, name)
        )

    def may_match_below(self, directory: bytes) -> bool:
        """Whether something below the directory may match, judging only by its path."""
        left = self._left_in(directory)
        return left.covered or bool(left.positions)

    def covers_below(self, directory: bytes) -> bool:
        """Whether a pattern matches everything in the directory, whatever its name."""
        left = self._left_in(directory)
        return left.covered or any(
            glob.names[at] is ANY_DEPTH and at + 1 == len(glob.names) and not glob.only_directories
            for glob, at in left.positions
        )

    def _left_in(self, directory: bytes) -> _Left:
        """The remainders in a directory, derived one component at a time from the nearest parent in the cache."""
        if not directory or not self._root.positions:
            return self._root
        if len(self._left) >= KEPT_DIRECTORIES:
            self._left.clear()
        unknown = []
        while directory and directory not in self._left:
            unknown.append(directory)
            directory = directory.rpartition(b"/")[0]
        left = self._left[directory] if directory else self._root
        for each in reversed(unknown):
            left = self._left[each] = _entered(left, each.rpartition(b"/")[2])
        return left


def _entered(left: _Left, name: bytes) -> _Left:
    """The remainders in a directory of that name."""
    if left.covered:
        return left
    matched = _matching(left, name)
    if any(_ends(glob, at) for glob, at in matched):
        return _Left((), covered=True)
    return _Left(tuple(dict.fromkeys(matched)), covered=False)


def _matching(left: _Left, name: bytes) -> list[tuple[Glob, int]]:
    """The remainders after one more component."""
    found = []
    for glob, at in left.positions:
        if glob.names[at] is ANY_DEPTH:
            found.append((glob, at + 1 if at + 1 == len(glob.names) else at))
            at += 1
        condition = glob.names[at] if at < len(glob.names) else None
        if condition and condition.fullmatch(name):
            found.append((glob, at + 1))
    return found


def _ends(glob: Glob, at: int) -> bool:
    return at == len(glob.names)


def claimed_twice(some: Sequence[str], others: Sequence[str]) -> str:
    """A path without wildcards that patterns of both lists name, or a pattern in both; empty if neither is found."""
    for these, those in ((some, others), (others, some)):
        known = Patterns(those)
        for pattern in these:
            names, only_directories = _parts(fsencode(pattern))
            whole = _prefix(names)
            if pattern in those or (b"/".join(names) == whole and known.matches(whole, only_directories)):
                return pattern
    return ""


def _parts(pattern: bytes) -> tuple[list[bytes], bool]:
    """The components of a pattern, and whether it matches only directories."""
    names = [name for name in pattern.split(b"/") if name not in (b"", b".")]
    only_directories = pattern.endswith((b"/", b"/."))
    if names and names[-1] == b"*" and not only_directories:
        names[-1] = b"**"  # a pattern that matches a directory matches everything in it
    joined = [name for name, before in zip(names, [b"", *names], strict=False) if (name, before) != (b"**", b"**")]
    return joined, only_directories


def _prefix(names: Sequence[bytes]) -> bytes:
    """The common start of all matching paths."""
    fixed: list[bytes] = []
    for name in names:
        if re.search(rb"[*?\[]", re.sub(rb"\\.", b"", name, flags=re.DOTALL)):
            break
        fixed.append(re.sub(rb"\\(.)", rb"\1", name, flags=re.DOTALL))
    return b"/".join(fixed)


def _topmost(paths: Iterable[bytes]) -> tuple[bytes, ...]:
    """The paths, except those below another of them."""
    found: list[bytes] = []
    for path in sorted(paths, key=lambda path: path.split(b"/")):
        if not any(path == top or path.startswith(top + b"/") or not top for top in found):
            found.append(path)
    return tuple(found)


def _name(glob: bytes) -> re.Pattern[bytes] | None:
    """The condition for one component.

    Text between two stars is matched at the first place where it fits, without backtracking, since a later place could
    not do better. `(?=(...))\\1` expresses that, as in fnmatch.translate(), for Pythons without atomic groups.
    """
    if glob == b"**":
        return ANY_DEPTH
    first, *rest = _pieces(glob)
    if not rest:
        return re.compile(first, re.DOTALL)
    *middle, last = rest
    fixed = b"".join(rb"(?=(.*?%b))\%d" % (piece, number) for number, piece in enumerate(filter(None, middle), 1))
    return re.compile(first + fixed + b".*" + last, re.DOTALL)


def _pieces(glob: bytes) -> list[bytes]:
    """The parts between the stars of a component's glob, as regular expressions."""
    pieces, position = [b""], 0
    while position < len(glob):
        byte = glob[position : position + 1]
        brackets = _BRACKETS.match(glob, position) if byte == b"[" else None
        if brackets:
            pieces[-1] += _one_of(brackets)
            position = brackets.end()
            continue
        if byte == b"*":
            pieces.append(b"")
        elif byte == b"\\" and position + 1 < len(glob):
            position += 1
            pieces[-1] += re.escape(glob[position : position + 1])
        else:
            pieces[-1] += b"." if byte == b"?" else re.escape(byte)
        position += 1
    return pieces


def _one_of(brackets: re.Match[bytes]) -> bytes:
    """A bracket expression as a regular expression. An invalid one matches nothing, as with git."""
    inside = b""
    for found in _IN_BRACKETS.finditer(brackets["set"]):
        if found["class"]:
            inside += CLASSES.get(found["class"], b"")
        else:
            inside += b"-" if found["dash"] else re.escape(found["escaped"] or found["byte"])
    negated = b"^" if brackets["not"] else b""
    try:
        re.compile(b"[" + negated + inside + b"]")
    except re.error:  # a reversed range, or an unknown class
        return b"(?!)"
    return b"[" + negated + inside + b"]"
