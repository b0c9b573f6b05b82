"""The headers of a tar archive as rdo writes it: readable by every tar, with exact times in addition. Pure.

Written by hand, since the standard library's tarfile takes a tenth of a millisecond per header, and has no format that
GNU tar, BSD tar and busybox all read alike: ustar headers; GNU headers ("L", "K") for a name or link of more than 100
bytes; and a POSIX header ("x") for fractions of a second, which busybox skips.
"""

from __future__ import annotations

import functools
import struct
from zlib import adler32

from rdo.sync.entry import Entry

BLOCK = 512

RECORD = 20 * BLOCK
"""Bytes that tar reads at a time. An archive must fill its last record, or tar keeps waiting."""

SECOND = 1_000_000_000

NAME_SIZE = 100
"""Bytes of a name in a header."""

SIZE_LIMIT = 8**11
"""The size from which on a file does not fit into eleven octal digits; GNU tar has a format for more."""

_BLOCK = struct.Struct("100s48s8sc100s255s").pack
"""Name, _FIELDS, checksum, kind, link and _REST, each padded with NUL."""

_FIELDS = b"%07o\x000000000\x000000000\0%b%011o\0"
"""The fields of a header after the name: mode, owner and group (chosen by whoever unpacks it), size, and time. The
checksum, the kind, the link and _REST follow."""

_REST = b"ustar\x0000" + b"\0" * 247

_REST_SUM = sum(_REST) + 8 * ord(" ")
"""The checksum is computed with blanks in its place."""

_TYPES = {"file": b"0", "link": b"2", "directory": b"5"}


def header(name: bytes, entry: Entry) -> bytes:
    """Everything before the content of an entry.

    A time without fractions is rounded up: make(1) may then build once too often, but never too seldom.
    """
    kind, mode, size, mtime_ns, link, _ = entry
    before = b""
    seconds, fraction = divmod(mtime_ns, SECOND)
    if fraction or not 0 <= seconds < SIZE_LIMIT:
        exact = b"%d.%09d" % (seconds, fraction) if mtime_ns >= 0 else b"-%d.%09d" % divmod(-mtime_ns, SECOND)
        before = _exact_time(exact)
        seconds = max(0, seconds + 1)
    if len(link) > NAME_SIZE:
        before += _extension(b"K", link + b"\0")
    if len(name) > NAME_SIZE:
        before += _extension(b"L", name + b"\0")
    size = size if kind == "file" else 0
    return before + _block(name[:NAME_SIZE], mode, size, seconds, _TYPES[kind], link[:NAME_SIZE])


def padding(size: int) -> bytes:
    """The padding after so many bytes of content."""
    return b"\0" * (-size % BLOCK)


def end(size: int) -> bytes:
    """The end of an archive of so many bytes."""
    return b"\0" * (2 * BLOCK + -(size + 2 * BLOCK) % RECORD)


def _exact_time(text: bytes) -> bytes:
    before, after = _around_time(len(text))
    return before + text + after


@functools.lru_cache(maxsize=16)
def _around_time(size: int) -> tuple[bytes, bytes]:
    """The text around a time of so many bytes, which nearly all times have."""
    text = b"0" * size
    before, _, after = _extension(b"x", _record(b"mtime", text)).rpartition(text)
    return before, after


def _extension(kind: bytes, content: bytes) -> bytes:
    size = len(content)
    return _block(b"././@LongLink", 0o644, size, 0, kind, b"") + content.ljust(size + -size % BLOCK, b"\0")


def _record(key: bytes, value: bytes) -> bytes:
    """A record of a POSIX extended header, which begins with its own length."""
    rest = b" %s=%s\n" % (key, value)
    size = len(rest) + 2
    return b"%d%s" % (size, rest)


def _block(name: bytes, mode: int, size: int, seconds: int, kind: bytes, link: bytes) -> bytes:
    length = b"%011o\0" % size if size < SIZE_LIMIT else b"\x80" + size.to_bytes(11, "big")
    fields = _FIELDS % (mode & 0o7777, length, min(seconds, SIZE_LIMIT - 1))
    checksum = _REST_SUM + _sum(name + fields + kind + link)
    return _BLOCK(name, fields, b"%06o\0 " % checksum, kind, link, _REST)


def _sum(text: bytes) -> int:
    """The sum of the bytes. The lower half of Adler-32 is that sum plus one, as long as it does not overflow."""
    return (adler32(text) & 0xFFFF) - 1
