"""Parses a tar archive from a target as it arrives. Pure.

Written by hand, not with the standard library's tarfile: whatever the target sends is hostile input, and must not be
able to make this side use much memory, wait for something that is not an archive, or accept anything that was not asked
for. Of all of tar's features, only files, symbolic links, and hard links to earlier files are supported; everything
else is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rdo.sync.path_word import PATH_LIMIT
from rdo.sync.tar_header import BLOCK, NAME_SIZE

EXTENSION_LIMIT = 64 * 1024
"""Bytes of an extended header: some paths and times."""

FILE, HARD_LINK, LINK = b"0", b"1", b"2"
_FILES = (b"0", b"\0", b"7")
_ZEROS = b"\0" * BLOCK


class BadArchive(ValueError):
    """The target sent something that is not an archive."""


class Member(NamedTuple):
    """An entry of an archive. If it is a file, its content follows."""

    name: bytes
    kind: bytes
    size: int
    link: bytes


class End(NamedTuple):
    """The archive is over."""

    rest: bytes
    """What followed the archive."""


Event = Member | bytes | End
"""An entry, some of its content, or the end."""

SKIPPED = b""
"""Returned in place of an event by input that does not make one."""


class TarReader:
    """Takes bytes, yields entries and their content."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._rest = 0
        """Bytes of the current entry's content that have not arrived yet."""
        self._padding = 0
        self._extended: dict[bytes, bytes] = {}
        self._extension = b""
        """The kind of the extended header that is being read like content."""
        self._collected = b""

    def receive(self, data: bytes) -> Iterator[Event]:
        """The events that are complete by now. Raises BadArchive."""
        self._data += data
        while (event := self._next()) is not None:
            if event is not SKIPPED:
                yield event

    def _next(self) -> Event | None:
        """The next event; None if it has not arrived yet."""
        if self._rest:
            return self._content()
        if len(self._data) < self._padding:
            return None
        del self._data[: self._padding]
        self._padding = 0
        if self._extension:
            self._take_extension()
        if len(self._data) < BLOCK:
            return None
        block = bytes(self._data[:BLOCK])
        del self._data[:BLOCK]
        if block != _ZEROS:
            return self._member(block)
        rest = bytes(self._data)
        self._data.clear()
        return End(rest)

    def _content(self) -> bytes | None:
        piece = bytes(self._data[: self._rest])
        del self._data[: len(piece)]
        self._rest -= len(piece)
        if not self._extension:
            return piece or None
        self._collected += piece
        return SKIPPED if piece else None

    def _member(self, block: bytes) -> Event:
        """The entry that begins here, unless this is an extended header for the next one."""
        check_sum(block)
        kind = block[156:157]
        size = _number(block[124:136])
        if kind in (b"L", b"K", b"x", b"g"):
            if size > EXTENSION_LIMIT:
                raise BadArchive("a header that is too long")
            self._extension, self._collected = kind, b""
            self._rest, self._padding = size, -size % BLOCK
            return SKIPPED
        prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else b""
        name = _text(block[:NAME_SIZE])
        name = self._extended.pop(b"path", prefix + b"/" + name if prefix else name)
        link = self._extended.pop(b"linkpath", _text(block[157 : 157 + NAME_SIZE]))
        if b"size" in self._extended:
            size = _decimal(self._extended.pop(b"size"))
        self._extended.clear()
        kind = FILE if kind in _FILES else kind
        if kind not in (FILE, LINK, HARD_LINK):
            raise BadArchive("an entry that is neither a file nor a link")
        size = size if kind == FILE else 0
        if len(name) > PATH_LIMIT or len(link) > PATH_LIMIT:
            raise BadArchive("a name that is too long")
        self._rest, self._padding = size, -size % BLOCK
        return Member(name.removeprefix(b"./"), kind, size, link)

    def _take_extension(self) -> None:
        kind, text = self._extension, self._collected
        self._extension = self._collected = b""
        if kind == b"L":
            self._extended[b"path"] = _text(text)
        elif kind == b"K":
            self._extended[b"linkpath"] = _text(text)
        elif kind == b"x":
            self._extended.update(_records(text))


def check_sum(block: bytes) -> None:
    """Raise BadArchive if this is not a header."""
    if _number(block[148:156]) != sum(block) - sum(block[148:156]) + 8 * 0x20:
        raise BadArchive("a header with a wrong checksum")


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _number(field: bytes) -> int:
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    text = field.strip(b" \0")
    try:
        if text and not text.isdigit():
            raise ValueError
        return int(text or b"0", 8)
    except ValueError:
        raise BadArchive("an invalid number") from None


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 18:
        raise BadArchive("an invalid number")
    return int(text)


def _records(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The records of a POSIX extended header that matter here."""
    while text:
        length, _, _ = text.partition(b" ")
        if not length.isdigit() or len(length) > 6 or not len(length) + 2 < int(length) <= len(text):
            raise BadArchive("an invalid record")
        record, text = text[len(length) + 1 : int(length)], text[int(length) :]
        key, equals, value = record.partition(b"=")
        if not equals or not value.endswith(b"\n"):
            raise BadArchive("an invalid record")
        if key.startswith(b"GNU.sparse"):
            raise BadArchive("a sparse file")
        if key in (b"path", b"linkpath", b"size"):
            yield key, value[:-1]
