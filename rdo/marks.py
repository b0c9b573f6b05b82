"""Takes the marks of a session's shell out of the output of its pty. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Mark(NamedTuple):
    """What the shell said, such as `stopped` or `group;1234`."""

    text: str


LIMIT = 64
"""Longest mark in bytes. A longer one is none: then it is output, and passed on."""


class Marks:
    """Output in, output and marks out. Holds back only what may be the start of a mark."""

    def __init__(self, nonce: str) -> None:
        self._start = f"\033]rdo;{nonce};".encode()
        self._held = b""

    def receive(self, data: bytes) -> list[bytes | Mark]:
        """Take in output; give what can be told now, in order."""
        data = self._held + data
        found: list[bytes | Mark] = []
        while True:
            start = data.find(self._start)
            end = data.find(b"\007", start, start + LIMIT) if start >= 0 else -1
            if end < 0:
                break
            found += [data[:start], Mark(data[start + len(self._start) : end].decode("ascii", "replace"))]
            data = data[end + 1 :]
        keep = self._may_start(data)
        self._held = data[keep:]
        return [*found, data[:keep]] if keep else found

    def end(self) -> bytes:
        """What is still held back, now that nothing more comes."""
        held, self._held = self._held, b""
        return held

    def _may_start(self, data: bytes) -> int:
        """Where a mark that is not yet whole starts; the end of the data if there is none."""
        start = data.find(self._start)
        if start >= 0:
            return start if len(data) - start < LIMIT else len(data)
        escape = data.rfind(b"\033", -len(self._start))
        if escape >= 0 and self._start.startswith(data[escape:]):
            return escape
        return len(data)
