"""URLs in output that name a port on the target's own loopback addresses. Pure, except for the callback it is given."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from rdo.paths.matcher import RootMatch

HOSTS = (rb"localhost", rb"127\.0\.0\.1", rb"0\.0\.0\.0", rb"\[::1\]", rb"\[::\]")
"""How a server's output spells the address of its own machine."""

LONGEST_HEAD = len(b"://localhost:")

_SEQUENCE = rb"(?:\033\[[0-9;]*m)*"
"""Some servers print the port in bold."""

_NAMED = re.compile(rb"://(?:%b):%b(\d{1,5})(?!\d)" % (b"|".join(HOSTS), _SEQUENCE))

_PORT = re.compile(rb"(?:%b)(\d{1,5})(?!\d)" % b"|".join(rb"(?<=://%b:)" % host for host in HOSTS))
"""Matches only the port number, so that never more than that is held back."""

_HEAD = re.compile(rb"(?::|:/|://[a-z0-9.:\[\]]*)\Z")
"""Matches what may be the start of such a URL, up to the number."""


def named_ports(output: bytes | memoryview) -> set[int]:
    """The ports in such URLs, if these are not split between two pieces of output."""
    return {int(port) for port in _NAMED.findall(output)}


class PortMatcher:
    """A Matcher of rdo.paths.output_mapper that replaces the target's ports with the local ones."""

    def __init__(self, local_port: Callable[[int], int]) -> None:
        """`local_port` returns the local port for a port of the target, which may be the same number. It may wait for a
        server that is about to listen."""
        self._local_port = local_port

    def rewritten(self, text: bytes) -> bytes:
        """The text with the ports replaced."""
        return _PORT.sub(self._local, text) if b"://" in text else text

    def find(self, text: bytes) -> Iterator[RootMatch]:
        """The ports in a text."""
        for match in _PORT.finditer(text):
            yield RootMatch(*match.span(), self._local(match))

    def undecided(self, text: bytes) -> int:
        """Where a number starts that may continue after the text."""
        digits = len(text) - len(text.rstrip(b"0123456789"))
        start = len(text) - digits
        return start if _PORT.match(text, start) else len(text)

    def context(self, text: bytes) -> bytes:
        """The end of the text, if it may be the start of a URL whose number has not arrived."""
        head = _HEAD.search(text[-LONGEST_HEAD:])
        return b"" if head is None or _PORT.search(head[0]) else head[0]

    def _local(self, match: re.Match[bytes]) -> bytes:
        port = int(match[1])
        local = self._local_port(port)
        return match[1] if local == port else b"%d" % local
