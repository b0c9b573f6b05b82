"""The headers of a tar archive as rdo writes it: those that every tar understands, with exact times beside. Pure.

By hand and not by the standard library's tarfile, which takes a tenth of a millisecond for each and has no form that
GNU tar, BSD's and busybox's read alike: ustar headers; a name or link of more than 100 bytes in one of GNU's own
before it ("L", "K"); and a fraction of a second in one of POSIX's ("x"), which busybox skips.
"""

from __future__ import annotations

import functools
import struct
from zlib import adler32

from rdo.sync.entry import Entry

BLOCK = 512

RECORD = 20 * BLOCK
"""Bytes that a tar reads at a time: an archive that ends within one keeps it waiting."""

SECOND = 1_000_000_000

NAME_SIZE = 100
"""Bytes of a name in a header."""

SIZE_LIMIT = 8**11
"""Bytes of a file that twelve octal digits can tell; GNU's tar has a form for more."""

_BLOCK = struct.Struct("100s48s8sc100s255s").pack
"""Name, _FIELDS, checksum, kind, link and _REST, each filled up with NUL."""

_FIELDS = b"%07o\x000000000\x000000000\0%b%011o\0"
"""Of a header, after the name: mode, owner and group (who unpacks it decides), size, time. Then come the checksum, the
kind, the link and _REST.
"""

_REST = b"ustar\x0000" + b"\0" * 247

_REST_SUM = sum(_REST) + 8 * ord(" ")
"""The checksum is made with blanks in its place."""

_TYPES = {"file": b"0", "link": b"2", "directory": b"5"}


def header(name: bytes, entry: Entry) -> bytes:
    """All that stands before the content of an entry.

    Without fractions, a time is rounded up: make(1) may then build once too often, but never once too seldom.
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
    """What follows so many bytes of content."""
    return b"\0" * (-size % BLOCK)


def end(size: int) -> bytes:
    """The end of an archive of so many bytes."""
    return b"\0" * (2 * BLOCK + -(size + 2 * BLOCK) % RECORD)


def _exact_time(text: bytes) -> bytes:
    before, after = _around_time(len(text))
    return before + text + after


@functools.lru_cache(maxsize=16)
def _around_time(size: int) -> tuple[bytes, bytes]:
    """What stands before and after a time of so many bytes, which nearly all times have."""
    text = b"0" * size
    before, _, after = _extension(b"x", _record(b"mtime", text)).rpartition(text)
    return before, after


def _extension(kind: bytes, content: bytes) -> bytes:
    size = len(content)
    return _block(b"././@LongLink", 0o644, size, 0, kind, b"") + content.ljust(size + -size % BLOCK, b"\0")


def _record(key: bytes, value: bytes) -> bytes:
    """A record of POSIX's extended header, which begins with its own length."""
    rest = b" %s=%s\n" % (key, value)
    size = len(rest) + 2
    return b"%d%s" % (size, rest)


def _block(name: bytes, mode: int, size: int, seconds: int, kind: bytes, link: bytes) -> bytes:
    length = b"%011o\0" % size if size < SIZE_LIMIT else b"\x80" + size.to_bytes(11, "big")
    fields = _FIELDS % (mode & 0o7777, length, min(seconds, SIZE_LIMIT - 1))
    checksum = _REST_SUM + _sum(name + fields + kind + link)
    return _BLOCK(name, fields, b"%06o\0 " % checksum, kind, link, _REST)


def _sum(text: bytes) -> int:
    """The sum of its bytes. Adler-32 has it, plus one, in its lower half, as long as that does not overflow."""
    return (adler32(text) & 0xFFFF) - 1
