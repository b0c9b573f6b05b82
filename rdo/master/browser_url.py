"""URLs that a target asks to have opened here: which may be, and which ports of the target they lead to. Pure.

A browser that opens `http://localhost:8085/` connects to this machine, and so does the one that a login sends to such a
URL afterwards. Where that port is meant to be the target's, it has to be forwarded first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qsl, urlsplit

from rdo.errors import one_line
from rdo.fscodec import fsencode
from rdo.master.browser_host import is_this_machine

SIZE_LIMIT = 8192
"""Bytes of a URL: what browsers and servers are sure to take."""

PORT_LIMIT = 4
"""Ports of this machine that a URL may lead to: one of it, and one of each URL in its parameters."""

NESTING_LIMIT = 4
"""URLs in parameters of URLs in parameters: a login may lead to another one."""

_WEB = re.compile(r"https?://[^/?#]", re.IGNORECASE)

_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029]")
"""Controls and blanks, which browsers drop or mend each in its own way, and the backslash, which they take for a slash:
what is shown would not be what is opened."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


def fault(url: str) -> str:
    """Why it is not to be opened, as a phrase that follows "it"; empty if it may be."""
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
    """The ports of this machine that it leads to, itself or by a URL in its parameters; each once."""
    return list(dict.fromkeys(_ports(url, NESTING_LIMIT)))


def _ports(url: str, depth: int) -> Iterator[int]:
    if not _WEB.match(url):
        return
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except ValueError:  # of a host or port that no browser takes
        return
    if is_this_machine(parts.hostname or ""):
        yield port
    if depth:
        for value in _parameters(parts):
            yield from _ports(value, depth - 1)


def _parameters(parts: SplitResult) -> Iterator[str]:
    """Values of the query, and of a fragment that is like one."""
    for text in (parts.query, parts.fragment):
        for _, value in parse_qsl(text):
            yield value


def question(url: str) -> str:
    """What is asked before it is opened."""
    return f"rdo: open {one_line(url)} here? [y/N] "
