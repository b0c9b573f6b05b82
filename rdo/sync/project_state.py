"""What this machine remembers about a project's copy on a target: its own identity there, and what it has pulled.

The record belongs to the path of the project's directory, and follows that when it is renamed. A copy of the directory
counts as another project, on this machine or elsewhere: when two push to the same place, neither may overwrite the
other's files.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Mapping

from rdo.errors import SetupError, reason
from rdo.fscodec import fsdecode, fsencode
from rdo.util import atomic_write, foreign_file, private_directory

RECORD_LIMIT = 256 * 1024 * 1024
"""Bytes of a record to read: that of a million files."""

_IDENTITY = re.compile(r"[0-9a-f]{16}")


class ProjectState:
    """The state for a project directory and a directory of a target."""

    def __init__(self, environment: Mapping[str, str], root: bytes, target: str, directory: str) -> None:
        """`environment` determines where state is kept; `target` identifies the target permanently."""
        project = hashlib.sha256(root).hexdigest()[:32]
        place = hashlib.sha256(fsencode(f"{target}\0{directory}")).hexdigest()[:32]
        self._directory = os.path.join(private_directory.state_directory(environment, "sync"), project)
        self._record = os.path.join(self._directory, f"pulled-{place}")
        self._indexes = os.path.join(self._directory, "indexes")
        self._root = root
        with contextlib.suppress(OSError):
            self._follow()

    def _follow(self) -> None:
        """Take over the state of the directory that was renamed to this one. Raises OSError."""
        private_directory.check(self._directory)
        if os.path.isdir(self._directory):
            if self._read(os.path.join(self._directory, "inode")) != self._inode():
                self._write_root()
            return
        with os.scandir(os.path.dirname(self._directory)) as others:
            renamed = next((each.path for each in others if self._was_at(each.path)), None)
        if renamed is not None:
            os.rename(renamed, self._directory)
            self._write_root()

    def _was_at(self, directory: str) -> bool:
        """Whether the state there belongs to this directory, under its former name."""
        known = self._read(os.path.join(directory, "inode"))
        path = self._read(os.path.join(directory, "root")).removesuffix(b"\n")
        return bool(path) and known == self._inode() and not os.path.lexists(path)

    def _inode(self) -> bytes:
        """What identifies a directory when it is renamed."""
        info = os.stat(self._root)
        return b"%d %d\n" % (info.st_dev, info.st_ino)

    def _write_root(self) -> None:
        atomic_write.write(os.path.join(self._directory, "root"), fsdecode(self._root) + "\n")
        atomic_write.write(os.path.join(self._directory, "inode"), self._inode().decode())

    @property
    def identity(self) -> str:
        """The random identity by which targets recognise this project of this machine's user, created once. Raises
        SetupError."""
        path = os.path.join(self._directory, "identity")
        try:
            if not os.path.exists(path):
                self._make(path)
            found = foreign_file.read_text(path, 64).strip()
        except (OSError, ValueError) as error:
            raise self._fault(error) from None
        if not _IDENTITY.fullmatch(found):
            raise SetupError(f"`{path}` was not written by rdo", "", "remove it")
        return found

    def _make(self, path: str) -> None:
        private_directory.make_state(os.path.dirname(self._directory))
        private_directory.make(self._directory)
        self._write_root()
        made = f"{path}.{os.getpid()}"
        atomic_write.write(made, os.urandom(8).hex() + "\n")
        try:
            os.link(made, path)  # the first process to get here creates it
        except FileExistsError:
            pass
        finally:
            os.unlink(made)

    def pulled(self) -> bytes:
        """The record of what was pulled; empty if there is none that can be read."""
        return self._read(self._record)

    def write_pulled(self, record: bytes) -> None:
        """Replace the record. Raises SetupError."""
        self._write(self._record, record)

    def indexes(self) -> bytes:
        """The record of the git indexes that were pushed; empty if there is none that can be read."""
        return self._read(self._indexes)

    def write_indexes(self, record: bytes) -> None:
        """Replace the record. Raises SetupError."""
        self._write(self._indexes, record)

    def _read(self, path: str) -> bytes:
        try:
            return foreign_file.read(path, RECORD_LIMIT)
        except OSError:
            return b""

    def _write(self, path: str, record: bytes) -> None:
        try:
            private_directory.make_state(os.path.dirname(self._directory))
            private_directory.make(self._directory)
            atomic_write.write(path, fsdecode(record))
        except OSError as error:
            raise self._fault(error) from None

    def _fault(self, error: Exception) -> SetupError:
        what = f"cannot use `{self._directory}`, where rdo records what it has copied"
        return SetupError(what, reason(error), "free disk space there, or fix its permissions")
