"""Removes the marks of a session's shell from the output of its pty. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple


class Mark(NamedTuple):
    """What the shell said, such as `stopped` or `group;1234`."""

    text: str


MARK_LIMIT = 64
"""Longest mark in bytes, with the end of its line. A longer one is none: then it is output, and passed on."""

_TEXT = re.compile(rb"([^\007\033]*)\007\r?\n")
_CUT_OFF = re.compile(rb"[^\007\033]*(?:\007\r?)?")
"""What follows the secret, which is not part of it: compiling a pattern for each command would take long."""


def mark(secret: str, text: str) -> bytes:
    """A mark as it stands in the output of a pty, but for the end of the line."""
    return f"\033]rdo;{secret};{text}\007".encode()


class Marks:
    """Output in, output and marks out. Holds back only what may be the start of a mark."""

    def __init__(self, secret: str, *, anywhere: bool = False) -> None:
        """`secret`: what only the session's own shell knows; see bootstrap.prove. `anywhere`: as on a pty; else marks
        come before all else.
        """
        self._anywhere = anywhere
        self._are_over = False
        self._start = mark(secret, "").removesuffix(b"\007")
        self._longest = MARK_LIMIT - len(self._start) - len(b"\007\r\n")
        self._held = b""

    def may_be_in(self, data: bytes | memoryview) -> bool:
        """Whether there may be one in this piece of output, which follows what was looked at before. The shell writes a
        mark at once, so that its start is not cut off.
        """
        if self._anywhere or self._held:
            return True
        self._are_over = self._are_over or bytes(data[: len(self._start)]) != self._start
        return not self._are_over

    def receive(self, data: bytes | memoryview) -> list[bytes | Mark]:
        """Take in output; return what is certain by now, in order."""
        data = self._held + data
        found: list[bytes | Mark] = []
        done = at = 0
        while (at := data.find(self._start, at)) >= 0:
            at += len(self._start)
            mark = _TEXT.match(data, at, at + MARK_LIMIT - len(self._start))
            if mark and len(mark[1]) <= self._longest:
                found += [data[done : at - len(self._start)], Mark(mark[1].decode("ascii", "replace"))]
                done = at = mark.end()
        rest = data[done:]
        keep = self._may_start(rest)
        self._held = rest[keep:]
        return [piece for piece in (*found, rest[:keep]) if piece]

    def end(self) -> bytes:
        """What is still held back, now that nothing more comes."""
        held, self._held = self._held, b""
        return held

    def _may_start(self, data: bytes) -> int:
        """Where a mark that is not yet whole starts; the end of the data if there is none. A mark holds one ESC."""
        escape = data.rfind(b"\033")
        held = data[escape:] if escape >= 0 else b""
        text = held[len(self._start) :] if held.startswith(self._start) else None
        cut_off = text is not None and len(text.partition(b"\007")[0]) <= self._longest and _CUT_OFF.fullmatch(text)
        return len(data) - len(held) if cut_off or self._start.startswith(held) else len(data)
