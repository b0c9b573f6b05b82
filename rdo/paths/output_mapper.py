"""Replaces remote paths in a stream of output by local ones, however the stream was split. Pure.

Escape sequences do not get in the way: a path is found although colours surround or interrupt it. Sequences within a
root that is replaced are moved after its local name, so that none is lost.

Binary output is left alone. A stream counts as binary from the first piece that contains a NUL byte, or that is not
UTF-8 within the first TEXT_CHECK_SIZE bytes of the stream; a stray byte later on in a long text does not end the
mapping.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from rdo.paths.matcher import RootMatch

TEXT_CHECK_SIZE = 8192
"""Bytes at the start of a stream that must be UTF-8: more than the header of any binary format."""

HELD_LIMIT = 4096
"""Most bytes to hold back. Anything longer, such as a run of nothing but escape sequences, is not a root."""

_SEQUENCE = re.compile(rb"(\033(?:\[[0-?]{0,32}[ -.]?[@-~]|[ -.][0-~]|[0-?c]))")
"""A control sequence (ECMA-48, 5.4), or another short one. String sequences such as titles and links are treated as
text."""

_CUT_SEQUENCE = re.compile(rb"\033(?:\[[0-?]{0,32}[ -.]?|[ -.])?")
"""A sequence whose end has not arrived. It contains no slash, so that no root starts in it."""


class Matcher(Protocol):
    """Finds what is to be replaced: roots (rdo.paths.matcher) or ports (rdo.paths.local_urls)."""

    def rewritten(self, text: bytes) -> bytes:
        """A text without file URLs and escape sequences, with everything in it replaced."""

    def find(self, text: bytes) -> Iterable[RootMatch]:
        """Everything to be replaced in a text without escape sequences."""

    def undecided(self, text: bytes) -> int:
        """The position from which the result depends on what follows the text; the length of the text if it does
        not."""

    def context(self, text: bytes) -> bytes:
        """The part of a text already written that the search in the following text needs before it. Contains no match
        by itself."""


class OutputMapper:
    """Maps one stream of output. Holds back only what is, or may become, a match."""

    def __init__(self, roots: Matcher) -> None:
        self._roots = roots
        self._content = _Content()
        self._seen = b""
        """Output already written that affects how the next is read (see Matcher.context), or an incomplete sequence."""
        self.held = b""
        """The output that is held back."""

    def receive(self, data: bytes) -> bytes:
        """Take output; return as much as is decided."""
        self._content.look_at(data)
        if self._content.is_binary:
            data, self.held = self.held + data, b""
            return data
        shown = self._map(data, more=True)
        return shown if len(self.held) <= HELD_LIMIT else shown + self.release()

    def release(self) -> bytes:
        """Return what is held back, as if nothing followed: at the end of the stream, or when it pauses."""
        return self._map(b"", more=False) if self.held else b""

    def _map(self, data: bytes, more: bool) -> bytes:
        text = self._seen + self.held + data
        known = len(self._seen)
        read = self._map_rich if b"\033" in text or b"file:" in text else self._map_plain
        return read(text, more)[known:]

    def _map_plain(self, text: bytes, more: bool) -> bytes:
        keep = self._roots.undecided(text) if more else len(text)
        shown, self.held = text[:keep], text[keep:]
        self._seen = self._roots.context(shown)
        return self._roots.rewritten(shown)

    def _map_rich(self, text: bytes, more: bool) -> bytes:
        """Map text with escape sequences or URLs. The text is searched without its sequences, which are put back
        afterwards."""
        whole = _end_of_whole(text) if more else len(text)
        parts = _SEQUENCE.split(text[:whole])  # text, sequence, text, ...
        plain = b"".join(parts[::2])
        keep = self._roots.undecided(plain) if more else len(plain)
        self._seen = self._roots.context(plain[:keep])
        if keep == len(plain):
            self.held = b""
            self._seen += text[whole:]
            return _merged(parts, self._roots.find(plain)) + text[whole:]
        cut = _with_sequences(parts, keep)
        self.held = text[cut:]
        return _merged(_SEQUENCE.split(text[:cut]), self._roots.find(plain[:keep]))


class _Content:
    """Determines whether a stream is binary, from what has been seen of it."""

    def __init__(self) -> None:
        self.is_binary = False
        """Whether everything from now on is to be left alone."""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._left = TEXT_CHECK_SIZE

    def look_at(self, data: bytes) -> None:
        """Examine the next piece."""
        self.is_binary = self.is_binary or b"\0" in data
        if self.is_binary or not self._left:
            return
        head = data[: self._left]
        self._left -= len(head)
        try:
            self._decoder.decode(head)
        except UnicodeDecodeError:
            self.is_binary = True


def _end_of_whole(text: bytes) -> int:
    """Where an incomplete sequence starts; the length of the text if there is none."""
    escape = text.rfind(b"\033")
    return escape if escape >= 0 and _CUT_SEQUENCE.fullmatch(text, escape) else len(text)


def _with_sequences(parts: Sequence[bytes], position: int) -> int:
    """Convert a position in the text without sequences to one in the text with them; sequences at the position come
    after it."""
    end = 0
    for text, sequence in zip(parts[::2], parts[1::2], strict=False):
        end += len(text)
        if end > position:
            break
        position += len(sequence)
        end += len(sequence)
    return position


def _merged(parts: Sequence[bytes], roots: Iterable[RootMatch]) -> bytes:
    """Join text and sequences, with the roots replaced; sequences within a root come after its local name."""
    merged: list[bytes] = []
    start = done = 0
    found = iter(roots)
    root = next(found, None)
    for text, sequence in zip(parts[::2], [*parts[1::2], b""], strict=True):
        end = start + len(text)
        while root and root.start < end:
            merged += (text[max(done - start, 0) : root.start - start], root.local)
            done = root.end
            root = next(found, None)
        merged += (text[max(done - start, 0) :], sequence)
        start = end
    return b"".join(merged)
