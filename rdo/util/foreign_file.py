"""Reads files that others may have made: in a repository, in a home directory, or owned by the target's user.

Every such file is read through this module. The path may lead to an endless device, a FIFO without a writer, a link to
one of the user's own files, or a gigabyte. So only regular files are opened, without blocking, up to a size limit and,
where it matters, only below the directory that they belong to.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import BinaryIO

from rdo.fscodec import fsdecode

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""Without O_NONBLOCK, opening a FIFO would wait for a writer; without O_NOCTTY, a terminal could become our controlling
one."""


class UnsuitableFile(OSError):
    """The file exists but must not be read; `strerror` says why."""


class FileTooLarge(UnsuitableFile):
    """The file is larger than a file of its kind can be."""


def read(path: str, limit: int, *, within: str = "") -> bytes:
    """The whole content, of at most `limit` bytes. Raises OSError, of which UnsuitableFile is a subclass.

    No link may lead out of the directory `within`; links in the path of that directory itself are allowed.
    """
    with open_regular(path, within=within) as file:
        return rest(file, limit)


def read_text(path: str, limit: int, *, within: str = "") -> str:
    """Like `read`, but returns text with its line ends unchanged, and `surrogateescape` for bytes that are not
    UTF-8."""
    return fsdecode(read(path, limit, within=within))


def head(path: str, size: int) -> bytes:
    """The first bytes of a file of any size. Raises OSError."""
    with open_regular(path) as file:
        return _read(file, size)


def open_regular(path: str, *, within: str = "") -> BinaryIO:
    """Open a regular file. Raises OSError, and ValueError for a path with a NUL in it."""
    if within:
        path = _resolved(path, within)
    _check_regular(path, os.stat(path))  # before opening, which can have an effect if it is a device
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
    """Read up to `size` bytes. Raises UnsuitableFile if the file has no data yet: some in /proc and /sys are
    streams."""
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
