"""URLs that a target asks to have opened on this machine: which are allowed, and which ports of the target they lead
to. Pure.

A browser that opens `http://localhost:8085/` connects to this machine, and so does one that a login page redirects to
such a URL. If the URL means the target's port, that port has to be forwarded first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qsl, urlsplit

from rdo.errors import one_line
from rdo.fscodec import fsencode
from rdo.master.browser_host import is_this_machine

SIZE_LIMIT = 8192
"""Bytes of a URL: as much as browsers and servers are sure to accept."""

PORT_LIMIT = 4
"""Ports of this machine that a URL may lead to: its own, and that of each URL in its parameters."""

NESTING_LIMIT = 4
"""Levels of URLs in parameters of URLs, since one login may lead to another."""

_WEB = re.compile(r"https?://[^/?#]", re.IGNORECASE)

_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029]")
"""Control characters and blanks, which browsers drop or repair in different ways, and the backslash, which they treat
as a slash: the URL shown would not be the one opened."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


def fault(url: str) -> str:
    """Why the URL is not opened, as a phrase that follows "it"; empty if it may be opened."""
    if len(fsencode(url)) > SIZE_LIMIT:
        return f"is longer than {SIZE_LIMIT} bytes"
    if not _WEB.match(url):
        return "is not a URL of http or https"
    if _NOT_IN_URLS.search(url) or any("\ud800" <= char <= "\udfff" for char in url):
        return "contains characters that no URL has"
    if len(found := ports(url)) > PORT_LIMIT:
        return f"leads to {len(found)} ports of this machine"
    return ""


def ports(url: str) -> list[int]:
    """The ports of this machine that the URL leads to, by itself or by a URL in its parameters; each once."""
    return list(dict.fromkeys(_ports(url, NESTING_LIMIT)))


def _ports(url: str, depth: int) -> Iterator[int]:
    if not _WEB.match(url):
        return
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except ValueError:  # a host or port that no browser accepts
        return
    if is_this_machine(parts.hostname or ""):
        yield port
    if depth:
        for value in _parameters(parts):
            yield from _ports(value, depth - 1)


def _parameters(parts: SplitResult) -> Iterator[str]:
    """Values in the query, and in a fragment that has the form of one."""
    for text in (parts.query, parts.fragment):
        for _, value in parse_qsl(text):
            yield value


def question(url: str) -> str:
    """The question to ask before the URL is opened."""
    return f"rdo: open {one_line(url)} here? [y/N] "
