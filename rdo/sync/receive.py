"""Receives files from a target into a separate directory. Everything that arrives is hostile input."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from rdo.errors import RdoError
from rdo.fscodec import fsdecode
from rdo.pool.shell_job import JobFailed, ShellJob
from rdo.sync.local_copy import LocalCopy
from rdo.sync.pull_scan import VANISHED, Seen, is_safe_link
from rdo.sync.tar_header import BLOCK
from rdo.sync.tar_reader import FILE, HARD_LINK, LINK, BadArchive, End, Member, TarReader

GROWTH_LIMIT = 64 * 1024 * 1024
"""Bytes that a file may have grown by since it was examined: a log that is being written."""

PADDING_LIMIT = 1024 * 1024
"""Zeros after an archive, with which tar fills its last record."""


class Received(NamedTuple):
    """A file or link that was received."""

    kind: str
    content: bytes
    """The digest of a file, or the text of a link."""
    name: str = ""
    """The name under which a file is kept until it is moved to its place."""
    size: int = 0


class Refused(NamedTuple):
    """A path that is not accepted."""

    path: bytes
    why: str


class Receiver:
    """Takes archives from a job, one after the other."""

    def __init__(self, job: ShellJob, mark: bytes, local: LocalCopy, target: str) -> None:
        """`mark` is what follows each archive."""
        self._job = job
        self._mark = mark + b"."
        self._local = local
        self._target = target
        self._data = b""
        self._count = 0
        self.refused: list[Refused] = []

    def archive(self, wanted: Mapping[bytes, Seen]) -> dict[bytes, Received]:
        """The files in the next archive. Raises RdoError for an invalid archive, and LinkLost."""
        try:
            return self._archive(wanted)
        except BadArchive as error:
            raise self._failed(f"it sent {error}") from None

    def _failed(self, why: str) -> RdoError:
        return JobFailed(f"cannot pull from `{self._target}`", why, "use `rdo --no-sync` to do without")

    def _receive_more(self) -> None:
        """Read more. Raises BadArchive at the end of the stream."""
        data = self._job.read()
        if data is None:
            raise BadArchive(f"an incomplete archive: {self._job.reason() or 'its shell ended early'}")
        self._data += data

    def _archive(self, wanted: Mapping[bytes, Seen]) -> dict[bytes, Received]:
        while len(self._data) < BLOCK and not self._data.startswith(self._mark):
            self._receive_more()
        found: dict[bytes, Received] = {}
        if not self._data.startswith(self._mark):
            self._unpack(wanted, found)
        if why := self._complaint():
            refused = {each.path for each in self.refused}
            self.refused += [Refused(path, why) for path in wanted if path not in found and path not in refused]
        return found

    def _complaint(self) -> str:
        """What kept tar from sending everything; empty if nothing did, or it was only that something has vanished.

        Its exit status and its first complaint follow the archive.
        """
        status, _, complaint = self._ending().partition(b" ")
        if status == b"0" or complaint.endswith(VANISHED.encode()):
            return ""
        return fsdecode(complaint) or "`tar` there failed"

    def _ending(self) -> bytes:
        """The line that follows an archive, without its mark."""
        padding = 0
        while True:
            stripped = self._data.lstrip(b"\0")
            padding += len(self._data) - len(stripped)
            self._data = stripped
            line, newline, rest = self._data.partition(b"\n")
            if newline and line.startswith(self._mark):
                self._data = rest
                return line.removeprefix(self._mark)
            if padding > PADDING_LIMIT or len(self._data) > len(self._mark) + BLOCK:
                raise BadArchive("data after the end of the archive")
            self._receive_more()

    def _unpack(self, wanted: Mapping[bytes, Seen], found: dict[bytes, Received]) -> None:
        reader, file = TarReader(), None
        while True:
            data, self._data = self._data, b""
            for event in reader.receive(data):
                if isinstance(event, End):
                    self._data = event.rest
                    return
                if isinstance(event, Member):
                    file = self._member(event, wanted, found)
                elif file is not None and file.write(event):
                    found[file.path] = file.received()
                    file = None
            if not self._data:
                self._receive_more()

    def _member(self, member: Member, wanted: Mapping[bytes, Seen], found: dict[bytes, Received]) -> _File | None:
        """Take an entry, after which a file's content follows. Raises BadArchive for what was not asked for."""
        path = member.name
        seen = wanted.get(path)
        if seen is None or path in found:
            raise BadArchive(f"`{path[:200]!r}`, which it was not asked for")
        if member.kind == LINK:
            if is_safe_link(path, member.link):
                found[path] = Received("link", member.link)
            else:
                self.refused.append(Refused(path, "a link that leads out of the project's directory is not accepted"))
            return None
        if member.kind == HARD_LINK:
            found[path] = self._copied(found.get(member.link.removeprefix(b"./")))
            return None
        if member.size > seen.size + GROWTH_LIMIT:
            raise BadArchive("a file that is larger than it said")
        file = _File(self._local, path, self._name(), member.size)
        if member.kind == FILE and not member.size:
            found[path] = file.received()
            return None
        return file

    def _name(self) -> str:
        self._count += 1
        return str(self._count)

    def _copied(self, other: Received | None) -> Received:
        """The same file once more: two hard links there become two files here."""
        if other is None or other.kind != "file":
            raise BadArchive("a hard link to a file that it did not send")
        name = self._name()
        self._local.copy(other.name, name)
        return other._replace(name=name)


class _File:
    """A file whose content is arriving."""

    def __init__(self, local: LocalCopy, path: bytes, name: str, size: int) -> None:
        self.path = path
        self._local = local
        self._name = name
        self._size = self._rest = size
        self._digest = hashlib.sha256()
        local.begin(name)

    def write(self, data: bytes) -> bool:
        """Add some content, and return whether that was the last."""
        self._digest.update(data)
        self._local.write(self.path, data)
        self._rest -= len(data)
        return self._rest == 0

    def received(self) -> Received:
        """The complete file."""
        return Received("file", self._digest.hexdigest().encode(), self._name, self._size)
