"""Reads a file that others may have made: a file of a repository, of a home, of the target's owner. Every such file.

At such a path there may be a device that never ends, a FIFO without a writer, a link to something of
the user's, or a gigabyte. So: a regular file, opened without waiting, up to a size, and where it matters below the
directory that it belongs to.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import BinaryIO

from rdo.fscodec import fsdecode

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""Opening a FIFO waits for its writer without the second; a terminal may become ours without the third."""


class UnsuitableFile(OSError):
    """The file exists but is not one to read; `strerror` says why."""


class FileTooLarge(UnsuitableFile):
    """It is larger than such a file can be."""


def read(path: str, limit: int, *, within: str = "") -> bytes:
    """The whole content, of `limit` bytes at most. Raises OSError, and of it UnsuitableFile.

    `within` is a directory that no link may lead out of, whatever links lead to itself.
    """
    with open_regular(path, within=within) as file:
        return rest(file, limit)


def read_text(path: str, limit: int, *, within: str = "") -> str:
    """The same as text, its line ends as they are; bytes that are not UTF-8 by `surrogateescape`."""
    return fsdecode(read(path, limit, within=within))


def head(path: str, size: int) -> bytes:
    """The first bytes, of a file of any size. Raises OSError."""
    with open_regular(path) as file:
        return _read(file, size)


def open_regular(path: str, *, within: str = "") -> BinaryIO:
    """The open file. Raises OSError, ValueError for a path with a NUL in it."""
    if within:
        path = _resolved(path, within)
    _check_regular(path, os.stat(path))  # first: to open a device can be an action of its own
    descriptor = os.open(path, _FLAGS)
    try:
        _check_regular(path, os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def rest(file: BinaryIO, limit: int) -> bytes:
    """What is left to read of a file. Raises FileTooLarge."""
    content = _read(file, limit + 1)
    if len(content) > limit:
        raise FileTooLarge(errno.EFBIG, f"larger than {_size(limit)}", file.name)
    return content


def _read(file: BinaryIO, size: int) -> bytes:
    """Up to so many bytes. Raises UnsuitableFile for one that has none yet: some of /proc and /sys are streams."""
    content: bytes | None = file.read(size)
    if content is None:
        raise UnsuitableFile(errno.EINVAL, "not a regular file", file.name)
    return content


def _check_regular(path: str, info: os.stat_result) -> None:
    if stat.S_ISDIR(info.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(info.st_mode):
        raise UnsuitableFile(errno.EINVAL, "not a regular file", path)


def _resolved(path: str, within: str) -> str:
    real = os.path.realpath(path)
    if not real.startswith(os.path.realpath(within).rstrip("/") + "/"):
        raise UnsuitableFile(errno.ELOOP, f"a link that leads out of `{within}`", path)
    return real


def _size(limit: int) -> str:
    return f"{limit // 2**20} MiB" if limit >= 2**20 else f"{limit // 2**10} KiB"
