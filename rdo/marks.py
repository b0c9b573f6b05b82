"""Takes the marks of a session's shell out of the output of its pty. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple


class Mark(NamedTuple):
    """What the shell said, such as `stopped` or `group;1234`."""

    text: str


LIMIT = 64
"""Longest mark in bytes, with the end of its line. A longer one is none: then it is output, and passed on."""


class Marks:
    """Output in, output and marks out. Holds back only what may be the start of a mark."""

    def __init__(self, secret: str) -> None:
        """`secret`: what only the session's own shell knows; see script.prove."""
        self._start = f"\033]rdo;{secret};".encode()
        start, longest = re.escape(self._start), LIMIT - len(self._start) - len(b"\007\r\n")
        self._mark = re.compile(rb"%b([^\007\033]{0,%d})\007\r?\n" % (start, longest))
        self._cut_off = re.compile(rb"%b[^\007\033]{0,%d}(?:\007\r?)?" % (start, longest))
        self._held = b""

    def receive(self, data: bytes | memoryview) -> list[bytes | Mark]:
        """Take in output; give what can be told now, in order."""
        *parts, rest = self._mark.split(self._held + data)  # output, a mark's text, output, ...
        keep = self._may_start(rest)
        self._held = rest[keep:]
        found = [Mark(part.decode("ascii", "replace")) if index % 2 else part for index, part in enumerate(parts)]
        return [piece for piece in (*found, rest[:keep]) if piece]

    def end(self) -> bytes:
        """What is still held back, now that nothing more comes."""
        held, self._held = self._held, b""
        return held

    def _may_start(self, data: bytes) -> int:
        """Where a mark that is not yet whole starts; the end of the data if there is none. A mark holds one ESC."""
        escape = data.rfind(b"\033")
        held = data[escape:] if escape >= 0 else b""
        if self._start.startswith(held) or self._cut_off.fullmatch(held):
            return len(data) - len(held)
        return len(data)
