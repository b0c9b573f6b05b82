"""Where a text names a directory of the target that this machine has too, and what it is called here. Pure.

A root counts only as a whole path, or the start of one. Before it stands what cannot be part of a path: the start
of the text, white space, a quote, an opening bracket, `:`, `=`, `,`, `@` and the like, or an option's letter as in
`-I/srv/app`. After it stands a slash, or what cannot continue a file name: `/srv/app:12`, `/srv/app'` and, at the
end of a sentence, `/srv/app.`; but not `/srv/app2`, `/srv/app-old` or `/srv/app.bak`. After `file:`, `file://` and
`file://localhost` a root may be percent-encoded, and its local name is encoded too. The longest root wins.
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
"""The first byte of what continues a file name, with room for more; of UTF-8, what _PUNCTUATION leaves."""

_AFTER = rb"(?!%b|\.\.{0,2}(?:%b|/))"
_AFTER_PATH = _AFTER % ((_NAME % b"",) * 2)
_AFTER_URL = _AFTER % ((_NAME % b"%",) * 2)

_UNDECIDED = re.compile(rb"\.{0,3}[\xe3\xef]?")
"""What may follow a root while it is open whether it ends there."""

URL_HEADS = (b"file://localhost", b"file://", b"file:")

_ESCAPE = re.compile(rb"%[0-9A-F]{2}")
_PATH_SAFE = "/:@!$&'()*+,;="
"""What RFC 3986 lets stand in a path; some programs encode it all the same."""


def _before_path(root: bytes) -> bytes:
    """That a path begins here. It comes after the root's own pattern: a search for fixed text is ten times faster."""
    return (
        rb"(?:(?<!%(path)b%(root)b)|(?<=-[A-Za-z]%(root)b)(?<!%(path)b-[A-Za-z]%(root)b)"
        rb"|(?<=\xc2[\x80-\xbf]%(root)b)|(?<=%(punctuation)b%(root)b))"
    ) % {b"path": _PATH, b"punctuation": _PUNCTUATION, b"root": root}


def _before_url(root: bytes) -> bytes:
    """That the path of a file URL begins here."""
    heads = [rb"(?<=%b%b)(?<![\w.-]%b%b)" % (head, root, head, root) for head in URL_HEADS]
    return b"(?:%b)" % b"|".join(heads)


_PATH_BEGINS = re.compile(_before_path(b"") + b"|" + _before_url(b""))
_URL_BEGINS = re.compile(_before_url(b""))


_URL_HEAD = re.compile(rb"file:(?://[a-z]{0,9})?\Z")
_LOOK_BEHIND = len(b"?file://localhost")


class RootMatch(NamedTuple):
    """A root in a text: from where to where, and its local name as it is to be written there."""

    start: int
    end: int
    local: bytes


class RootMatcher:
    """Directories of the target, each with its local name."""

    def __init__(self, roots: Mapping[bytes, bytes]) -> None:
        """`roots`: remote to local; at least one; absolute, without a slash at the end."""
        self._as_path = roots
        self._as_url = _encoded(roots)
        names = sorted(self._as_url, key=len, reverse=True)
        self._begins = [(name, _PATH_BEGINS if name in roots else _URL_BEGINS) for name in names]
        self._longest = len(names[0]) + len("...\xe3")
        paths = ((name, _before_path(re.escape(name)) + _AFTER_PATH) for name in names if name in roots)
        self._paths = re.compile(b"(%b)" % _pattern(paths))
        self._all = re.compile(_pattern((name, self._condition(name)) for name in names))

    def rewritten(self, text: bytes) -> bytes:
        """A text without file URLs and escape sequences, all roots in it replaced."""
        parts = self._paths.split(text)  # several times as fast as a function called for each match
        parts[1::2] = map(self._as_path.__getitem__, parts[1::2])
        return b"".join(parts)

    def find(self, text: bytes) -> Iterable[RootMatch]:
        """The roots in a text, in URLs too."""
        for match in self._all.finditer(text):
            names = self._as_url if match.lastindex else self._as_path
            yield RootMatch(*match.span(), names[match[0]])

    def undecided(self, text: bytes) -> int:
        """Where a root starts that what follows the text may complete or rule out; the end of the text if none does."""
        start = text.find(b"/", max(0, len(text) - self._longest))
        while start >= 0:
            if any(self._may_be(name, begins, text, start) for name, begins in self._begins):
                return start
            start = text.find(b"/", start + 1)
        return len(text)

    def context(self, text: bytes) -> bytes:
        """What of a text that was shown decides whether a root starts after it; changed so that none starts in it."""
        tail = text[-_LOOK_BEHIND:]
        head = _URL_HEAD.search(tail)
        cut = head.start() if head else len(tail)
        return tail[:cut].replace(b"/", b"~") + tail[cut:]  # to a root, both are bytes of a path before it

    @staticmethod
    def _may_be(name: bytes, begins: re.Pattern[bytes], text: bytes, start: int) -> bool:
        rest = text[start:]
        open_ended = name.startswith(rest) or (rest.startswith(name) and _UNDECIDED.fullmatch(rest, len(name)))
        return bool(open_ended and begins.match(text, start))

    def _condition(self, name: bytes) -> bytes:
        """What must hold for a name that was found; an empty group marks one in a URL."""
        root = re.escape(name)
        in_url = _before_url(root) + _AFTER_URL + b"()"
        return b"(?:%b|%b)" % (in_url, _before_path(root) + _AFTER_PATH) if name in self._as_path else in_url


def _pattern(conditions: Iterable[tuple[bytes, bytes]]) -> bytes:
    """That one of the names stands there, then its condition; what all names begin with comes first."""
    known = dict(conditions)
    shared, last = min(known), max(known)
    while not last.startswith(shared):
        shared = shared[:-1]
    rests = (re.escape(name[len(shared) :]) + condition for name, condition in known.items())
    return b"%b(?:%b)" % (re.escape(shared), b"|".join(rests))


def _encoded(roots: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """How the roots may be written in a URL, encoded or not, to their local names written in the same way."""
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
