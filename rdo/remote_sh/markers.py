"""Removes the marks of a session's shell from the output of its pty. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple


class Mark(NamedTuple):
    """What the shell reports, such as `stopped` or `group;1234`."""

    text: str


MARK_LIMIT = 64
"""The maximum length of a mark in bytes, including the end of its line. Anything longer is output, and passed on."""

_TEXT = re.compile(rb"([^\007\033]*)\007\r?\n")
_CUT_OFF = re.compile(rb"[^\007\033]*(?:\007\r?)?")
"""What follows the secret. The secret is not part of the pattern, since compiling one for each command would take
long."""


def mark(secret: str, text: str) -> bytes:
    """A mark as it appears in the output of a pty, except for the end of the line."""
    return f"\033]rdo;{secret};{text}\007".encode()


class Marks:
    """Takes output, returns output and marks. Holds back only what may be the start of a mark."""

    def __init__(self, secret: str, *, anywhere: bool = False) -> None:
        """`secret` is known only to the session's own shell; see bootstrap.prove. `anywhere`: marks may be anywhere in
        the output, as on a pty; otherwise they precede it."""
        self._anywhere = anywhere
        self._are_over = False
        self._start = mark(secret, "").removesuffix(b"\007")
        self._longest = MARK_LIMIT - len(self._start) - len(b"\007\r\n")
        self._held = b""

    def may_be_in(self, data: bytes | memoryview) -> bool:
        """Whether a mark may be in this piece of output, which follows the one examined before. The shell writes a mark
        at once, so that its start is never split."""
        if self._anywhere or self._held:
            return True
        self._are_over = self._are_over or bytes(data[: len(self._start)]) != self._start
        return not self._are_over

    def receive(self, data: bytes | memoryview) -> list[bytes | Mark]:
        """Take output; return what is decided by now, in order."""
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
        """What is still held back at the end of the output."""
        held, self._held = self._held, b""
        return held

    def _may_start(self, data: bytes) -> int:
        """Where an incomplete mark starts; the length of the data if there is none. A mark contains only one ESC."""
        escape = data.rfind(b"\033")
        held = data[escape:] if escape >= 0 else b""
        text = held[len(self._start) :] if held.startswith(self._start) else None
        cut_off = text is not None and len(text.partition(b"\007")[0]) <= self._longest and _CUT_OFF.fullmatch(text)
        return len(data) - len(held) if cut_off or self._start.startswith(held) else len(data)
