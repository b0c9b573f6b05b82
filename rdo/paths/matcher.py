"""Finds, in a text, directories of the target that this machine has too, and their local names. Pure.

A root counts only as a whole path, or as the start of one. It must be preceded by something that cannot be part of a
path: the start of the text, white space, a quote, an opening bracket, `:`, `=`, `,`, `@` and the like, or an option's
letter as in `-I/srv/app`. It must be followed by a slash, or by something that cannot continue a file name:
`/srv/app:12`, `/srv/app'` and, at the end of a sentence, `/srv/app.`; but not `/srv/app2`, `/srv/app-old` or
`/srv/app.bak`. After `file:`, `file://` and `file://localhost` a root may be percent-encoded, and its local name is
then encoded too. The longest root applies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import quote

_PATH = rb"[A-Za-z0-9._/~+)}\]*?%\x80-\xff-]"
"""A byte before a slash that makes it part of a longer path: `src/srv/app`, `~/srv/app`, `${HOME}/srv/app`."""

_PUNCTUATION = rb"(?:\xe2[\x80-\xbf]|\xe3\x80|\xef\xbc)[\x80-\xbf]"
"""Quotes, dashes, arrows and box lines (U+2000 to U+2FFF), and East Asian punctuation, in UTF-8: they end a path."""

_NAME = rb"[\w+~@%b\x80-\xc1\xc3-\xe1\xe4-\xee\xf0-\xff-]|\xe3(?!\x80)|\xef(?!\xbc)"
"""The first byte of what continues a file name, with a placeholder for more; of UTF-8, what _PUNCTUATION leaves."""

_AFTER = rb"(?!%b|\.\.{0,2}(?:%b|/))"
_AFTER_PATH = _AFTER % ((_NAME % b"",) * 2)
_AFTER_URL = _AFTER % ((_NAME % b"%",) * 2)

_UNDECIDED = re.compile(rb"\.{0,3}[\xe3\xef]?")
"""What may follow a root while it is undecided whether the root ends there."""

URL_HEADS = (b"file://localhost", b"file://", b"file:")

_ESCAPE = re.compile(rb"%[0-9A-F]{2}")
_PATH_SAFE = "/:@!$&'()*+,;="
"""Characters that RFC 3986 allows in a path, although some programs encode them."""


def _before_path(root: bytes) -> bytes:
    """A pattern: a path begins here. It is tested after the root itself, since searching for fixed text is ten times
    faster."""
    return (
        rb"(?:(?<!%(path)b%(root)b)|(?<=-[A-Za-z]%(root)b)(?<!%(path)b-[A-Za-z]%(root)b)"
        rb"|(?<=\xc2[\x80-\xbf]%(root)b)|(?<=%(punctuation)b%(root)b))"
    ) % {b"path": _PATH, b"punctuation": _PUNCTUATION, b"root": root}


def _before_url(root: bytes) -> bytes:
    """A pattern: the path of a file URL begins here."""
    heads = [rb"(?<=%b%b)(?<![\w.-]%b%b)" % (head, root, head, root) for head in URL_HEADS]
    return b"(?:%b)" % b"|".join(heads)


_PATH_BEGINS = re.compile(_before_path(b"") + b"|" + _before_url(b""))
_URL_BEGINS = re.compile(_before_url(b""))


_URL_HEAD = re.compile(rb"file:(?://[a-z]{0,9})?\Z")
_LOOK_BEHIND = len(b"?file://localhost")


class RootMatch(NamedTuple):
    """A root in a text: its start and end, and its local name as it is to be written there."""

    start: int
    end: int
    local: bytes


class RootMatcher:
    """Finds directories of the target and knows the local name of each."""

    def __init__(self, roots: Mapping[bytes, bytes]) -> None:
        """`roots` maps remote to local names. There is at least one; all are absolute, without a trailing slash."""
        self._as_path = roots
        self._as_url = _encoded(roots)
        names = sorted(self._as_url, key=len, reverse=True)
        self._begins = [(name, _PATH_BEGINS if name in roots else _URL_BEGINS) for name in names]
        self._longest = len(names[0]) + len("...\xe3")
        paths = ((name, _before_path(re.escape(name)) + _AFTER_PATH) for name in names if name in roots)
        self._paths = re.compile(b"(%b)" % _pattern(paths))
        self._all = re.compile(_pattern((name, self._condition(name)) for name in names))

    def rewritten(self, text: bytes) -> bytes:
        """A text without file URLs and escape sequences, with all roots in it replaced."""
        parts = self._paths.split(text)  # several times as fast as a function called for each match
        parts[1::2] = map(self._as_path.__getitem__, parts[1::2])
        return b"".join(parts)

    def find(self, text: bytes) -> Iterable[RootMatch]:
        """The roots in a text, including those in URLs."""
        for match in self._all.finditer(text):
            names = self._as_url if match.lastindex else self._as_path
            yield RootMatch(*match.span(), names[match[0]])

    def undecided(self, text: bytes) -> int:
        """Where a root starts that the following text may complete or rule out; the length of the text if there is
        none."""
        start = text.find(b"/", max(0, len(text) - self._longest))
        while start >= 0:
            if any(self._may_be(name, begins, text, start) for name, begins in self._begins):
                return start
            start = text.find(b"/", start + 1)
        return len(text)

    def context(self, text: bytes) -> bytes:
        """The end of a text already written, as far as it decides whether a root starts after it; altered so that no
        root starts in it."""
        tail = text[-_LOOK_BEHIND:]
        head = _URL_HEAD.search(tail)
        cut = head.start() if head else len(tail)
        return tail[:cut].replace(b"/", b"~") + tail[cut:]  # to a root, either is just a byte of the path before it

    @staticmethod
    def _may_be(name: bytes, begins: re.Pattern[bytes], text: bytes, start: int) -> bool:
        rest = text[start:]
        open_ended = name.startswith(rest) or (rest.startswith(name) and _UNDECIDED.fullmatch(rest, len(name)))
        return bool(open_ended and begins.match(text, start))

    def _condition(self, name: bytes) -> bytes:
        """The condition that must hold where a name was found; an empty group marks a name in a URL."""
        root = re.escape(name)
        in_url = _before_url(root) + _AFTER_URL + b"()"
        return b"(?:%b|%b)" % (in_url, _before_path(root) + _AFTER_PATH) if name in self._as_path else in_url


def _pattern(conditions: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Matches one of the names, then its condition. The common prefix of all names comes first."""
    known = dict(conditions)
    shared, last = min(known), max(known)
    while not last.startswith(shared):
        shared = shared[:-1]
    rests = (re.escape(name[len(shared) :]) + condition for name, condition in known.items())
    return b"%b(?:%b)" % (re.escape(shared), b"|".join(rests))


def _encoded(roots: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """All spellings of the roots in a URL, encoded or not, with their local names spelled the same way."""
    names = {}
    for remote, local in roots.items():
        url = quote(local).encode()
        spellings = {quote(remote, safe).encode() for safe in ("/", _PATH_SAFE)}
        names[remote] = url if remote in spellings else local
        names |= {
            spelling: url
            for each in spellings
            for spelling in (each, _ESCAPE.sub(lambda escape: escape[0].lower(), each))
        }
    return names
