"""Remote paths in a stream of output as local ones, however the stream was cut. Pure.

Escape sequences are looked through: colours around or within a path do not hide it. Those within a root that is
replaced come after its local name, so that none is lost.

Binary output passes untouched. A stream counts as binary from the first piece that holds a NUL byte, or that is not
UTF-8 within the first TEXT_CHECK_SIZE bytes of the stream; later, one odd byte in a long text does not end the mapping.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from rdo.paths.matcher import RootMatch

TEXT_CHECK_SIZE = 8192
"""Bytes at the start of a stream that have to be UTF-8: more than any header of a binary format."""

HELD_LIMIT = 4096
"""Most bytes to hold back: what is longer, such as one with nothing but escape sequences in it, is not a root."""

_SEQUENCE = re.compile(rb"(\033(?:\[[0-?]{0,32}[ -.]?[@-~]|[ -.][0-~]|[0-?c]))")
"""A control sequence (ECMA-48, 5.4), or another short one. Strings such as titles and links are read as text."""

_CUT_SEQUENCE = re.compile(rb"\033(?:\[[0-?]{0,32}[ -.]?|[ -.])?")
"""One whose end is missing. It holds no slash, so that no root starts in it."""


class Matcher(Protocol):
    """What is looked for: the roots of rdo.paths.matcher, and the ports of rdo.paths.local_urls."""

    def rewritten(self, text: bytes) -> bytes:
        """A text without file URLs and escape sequences, all in it replaced."""

    def find(self, text: bytes) -> Iterable[RootMatch]:
        """All that is to be replaced in a text without escape sequences."""

    def undecided(self, text: bytes) -> int:
        """From where on it depends on what follows the text; the end of the text if nothing does."""

    def context(self, text: bytes) -> bytes:
        """What of a text that was shown has to stand before what follows it. Nothing is found in that alone."""


class OutputMapper:
    """One stream: output in, mapped output out. Holds back only what may be, or become, what is looked for."""

    def __init__(self, roots: Matcher) -> None:
        self._roots = roots
        self._content = _Content()
        self._seen = b""
        """What went out and decides how to read what comes: see Matcher.context; or a cut sequence."""
        self.held = b""
        """What is held back."""

    def receive(self, data: bytes) -> bytes:
        """Take in output; return what is certain by now."""
        self._content.look_at(data)
        if self._content.is_binary:
            data, self.held = self.held + data, b""
            return data
        shown = self._map(data, more=True)
        return shown if len(self.held) <= HELD_LIMIT else shown + self.release()

    def release(self) -> bytes:
        """What is held back, as if nothing followed it: at the end of the stream, or when it pauses."""
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
        """With escape sequences or URLs. The text is searched without the sequences; then these are put back."""
        whole = _end_of_whole(text) if more else len(text)
        parts = _SEQUENCE.split(text[:whole])  # text, sequence, text, ...
        plain = b"".join(parts[::2])
        keep = self._roots.undecided(plain) if more else len(plain)
        self._seen = self._roots.context(plain[:keep])
        if keep == len(plain):
            self.held = b""
            self._seen += text[whole:]
            return _woven(parts, self._roots.find(plain)) + text[whole:]
        cut = _with_sequences(parts, keep)
        self.held = text[cut:]
        return _woven(_SEQUENCE.split(text[:cut]), self._roots.find(plain[:keep]))


class _Content:
    """Whether a stream is binary, as far as it was seen."""

    def __init__(self) -> None:
        self.is_binary = False
        """Whether all of it is to be left alone from now on."""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._left = TEXT_CHECK_SIZE

    def look_at(self, data: bytes) -> None:
        """Take in the next piece."""
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
    """Where a sequence starts whose end has not come yet; the end of the text if none does."""
    escape = text.rfind(b"\033")
    return escape if escape >= 0 and _CUT_SEQUENCE.fullmatch(text, escape) else len(text)


def _with_sequences(parts: Sequence[bytes], position: int) -> int:
    """A position in the text without sequences as one in the text with them; those at the position are before it."""
    end = 0
    for text, sequence in zip(parts[::2], parts[1::2], strict=False):
        end += len(text)
        if end > position:
            break
        position += len(sequence)
        end += len(sequence)
    return position


def _woven(parts: Sequence[bytes], roots: Iterable[RootMatch]) -> bytes:
    """Text and sequences, the roots replaced; sequences in a root come after it."""
    woven: list[bytes] = []
    start = done = 0
    found = iter(roots)
    root = next(found, None)
    for text, sequence in zip(parts[::2], [*parts[1::2], b""], strict=True):
        end = start + len(text)
        while root and root.start < end:
            woven += (text[max(done - start, 0) : root.start - start], root.local)
            done = root.end
            root = next(found, None)
        woven += (text[max(done - start, 0) :], sequence)
        start = end
    return b"".join(woven)
