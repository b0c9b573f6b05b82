"""The context of an image build: the files of a directory that belong to it, a digest of them, and the tar archive for
the engine. Follows no links, so that nothing outside the directory is read."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from collections.abc import Iterator, Sequence
from typing import IO, NamedTuple

from rdo.drivers.base import READ_SIZE
from rdo.drivers.docker import build_files
from rdo.drivers.docker.build_files import Hits, IgnorePattern
from rdo.drivers.docker.dockerfile import BuildContext
from rdo.errors import SetupError, reason
from rdo.fscodec import fsencode
from rdo.util import foreign_file

IGNORE = ".dockerignore"

FILE_LIMIT = 1024 * 1024
"""Bytes of a Dockerfile or a .dockerignore."""


class ContextEntry(NamedTuple):
    """An entry of the context: its path relative to the directory, and the result of lstat(2)."""

    path: str
    info: os.stat_result


def digest(context: BuildContext, settings: Sequence[str]) -> str:
    """A digest that changes with any file of the context and with the settings. Reads only the Dockerfile.

    Raises RdoError.
    """
    found = hashlib.sha256(fsencode(repr([_content(context, context.dockerfile), *settings])))
    for path, info in entries(context):
        facts: list[object] = [path, stat.S_IFMT(info.st_mode), stat.S_IMODE(info.st_mode)]
        if stat.S_ISLNK(info.st_mode):
            facts.append(os.readlink(os.path.join(context.directory, path)))
        elif not stat.S_ISDIR(info.st_mode):
            facts += [info.st_size, info.st_mtime_ns]
        found.update(fsencode(repr(facts)))
    return found.hexdigest()


def instructions(context: BuildContext) -> str:
    """The text of the Dockerfile. Raises SetupError."""
    return _content(context, context.dockerfile).decode(errors="replace")


def entries(context: BuildContext) -> Iterator[ContextEntry]:
    """The entries of the context, always in the same order. Raises RdoError."""
    patterns = build_files.ignore_patterns(_content(context, IGNORE).decode(errors="replace"))
    always = {IGNORE, context.dockerfile}
    try:
        yield from _below(context, "", patterns, (), always)
    except OSError as error:
        raise _unreadable(context, str(error.filename or ""), error) from None


def _below(
    context: BuildContext, above: str, patterns: Sequence[IgnorePattern], hits: Hits, always: set[str]
) -> Iterator[ContextEntry]:
    with os.scandir(os.path.join(context.directory, above)) as listing:
        found = sorted(listing, key=lambda entry: entry.name)
    for each in found:
        path = above + each.name
        found_hits = build_files.hits(patterns, path, hits)
        out = build_files.excludes(patterns, found_hits) and path not in always
        if not out:
            yield ContextEntry(path, each.stat(follow_symlinks=False))
        kept = not out or build_files.may_keep_below(patterns) or any(name.startswith(path + "/") for name in always)
        if kept and each.is_dir(follow_symlinks=False):
            yield from _below(context, path + "/", patterns, found_hits, always)


def pack(context: BuildContext) -> Iterator[bytes]:
    """The context as a tar archive, piece by piece. Everything in it belongs to root, as with `docker build`. Raises
    RdoError."""
    for path, info in entries(context):
        try:
            yield from _packed(context, path, info)
        except OSError as error:
            raise _unreadable(context, path, error) from None
    yield bytes(2 * tarfile.BLOCKSIZE)


def _packed(context: BuildContext, path: str, info: os.stat_result) -> Iterator[bytes]:
    """One entry of the archive; nothing for a socket, a pipe or a device, which are of no use in a build."""
    member = tarfile.TarInfo(path)
    member.mode, member.mtime = stat.S_IMODE(info.st_mode), int(info.st_mtime)
    full = os.path.join(context.directory, path)
    if stat.S_ISREG(info.st_mode):
        with open(os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as source:
            member.size = os.fstat(source.fileno()).st_size
            yield _head(member)
            yield from _blocks(source, member.size)
    elif stat.S_ISLNK(info.st_mode):
        member.type, member.linkname = tarfile.SYMTYPE, os.readlink(full)
        yield _head(member)
    elif stat.S_ISDIR(info.st_mode):
        member.type = tarfile.DIRTYPE
        yield _head(member)


def _head(member: tarfile.TarInfo) -> bytes:
    return member.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def _blocks(source: IO[bytes], size: int) -> Iterator[bytes]:
    """The content of a file in whole blocks: as many as its header says, even if the file changes meanwhile."""
    left = size
    while left:
        length = min(left, READ_SIZE)
        data = source.read(length) or bytes(length)
        left -= len(data)
        yield data
    yield bytes(-size % tarfile.BLOCKSIZE)


def _content(context: BuildContext, path: str) -> bytes:
    """The content of a file; empty if there is none. Raises SetupError if it cannot be read, or is outside of the
    directory."""
    try:
        return foreign_file.read(os.path.join(context.directory, path), FILE_LIMIT, within=context.directory)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise _unreadable(context, path, error) from None


def _unreadable(context: BuildContext, path: str, error: OSError) -> SetupError:
    what = f"cannot read `{os.path.join(context.directory, path)}`, which is needed to build the image"
    return SetupError(what, reason(error), f"make it readable, or add it to `{IGNORE}`")
