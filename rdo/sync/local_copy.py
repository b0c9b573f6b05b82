"""Pulled files on this machine: received in a separate directory, then moved to their places below the project's root.

No link is followed on the way to any of them, whoever created it, since each directory is opened relative to its
parent's descriptor.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterator
from typing import NamedTuple

from rdo.errors import RdoError, reason
from rdo.fscodec import fsdecode
from rdo.sync.archive import digest_of, open_directory
from rdo.sync.pull_scan import Seen
from rdo.util.process import process_name

STATE = b".rdo-sync"
"""The directory for rdo's own files, below the root on either side."""

OPEN_LIMIT = 64
"""Directories to keep open at a time."""

HINTS = dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free disk space here")
HINTS |= dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "make that writable, or change `pull`")
"""What to do about an error. Any other error means that something is in the way."""

_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class LocalState(NamedTuple):
    """What there is at a path here."""

    kind: str
    """`file`, `link`, `directory`, `other`, or empty if nothing exists and nothing is in the way."""
    state: str = ""
    """Size, time and inode, by which a later change is noticed."""
    link: bytes = b""


OTHER = LocalState("other")


class LocalCopy:
    """The pulled files below a root. Must be closed."""

    def __init__(self, root: bytes) -> None:
        self.made: list[bytes] = []
        """Directories that were created for files in them."""
        self._root = root
        self._received = b"pull-%d-%s" % (os.getpid(), os.urandom(8).hex().encode())
        self._handle = -1
        self._writing = -1
        self._directories: dict[bytes, int] = {}

    def close(self) -> None:
        """Remove received files that were not moved to their places."""
        for handle in self._directories.values():
            os.close(handle)
        self._directories.clear()
        if self._writing >= 0:
            os.close(self._writing)
            self._writing = -1
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
            shutil.rmtree(os.path.join(self._root, STATE, self._received), ignore_errors=True)
        self._sweep()

    def _sweep(self) -> None:
        """Remove what earlier control masters left because they could not close this."""
        state = os.path.join(self._root, STATE)
        with contextlib.suppress(OSError):
            for name in os.listdir(state):
                owner = name.split(b"-")[1:2]
                if name.startswith(b"pull-") and owner[0].isdigit() and not process_name(int(owner[0])):
                    shutil.rmtree(os.path.join(state, name), ignore_errors=True)
            os.rmdir(state)

    def look(self, path: bytes) -> LocalState:
        """What there is at a path. A link or a file in place of one of its parents counts as something else there."""
        parent, _, name = path.rpartition(b"/")
        try:
            directory = self._directory(parent)
            found = os.lstat(name, dir_fd=directory)
            state = f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"
            if stat.S_ISLNK(found.st_mode):
                return LocalState("link", state, os.readlink(name, dir_fd=directory))
        except FileNotFoundError:
            return LocalState("")
        except OSError:
            return OTHER
        if stat.S_ISDIR(found.st_mode):
            return LocalState("directory")
        return LocalState("file", state) if stat.S_ISREG(found.st_mode) else OTHER

    def digest(self, path: bytes) -> str:
        """The SHA-256 digest of a file; empty if it cannot be read."""
        try:
            return digest_of(self._root, path)
        except RdoError:
            return ""

    @property
    def free(self) -> int:
        """Free bytes on the file system."""
        return (found := os.statvfs(self._root)).f_bavail * found.f_frsize

    def begin(self, name: str) -> None:
        """Begin to receive a file under a name of the caller's choice. Raises RdoError."""
        with self._explained(STATE):
            if self._writing >= 0:
                os.close(self._writing)
                self._writing = -1
            self._writing = os.open(name, _WRITE, 0o600, dir_fd=self._stage())

    def write(self, path: bytes, data: bytes) -> None:
        """Add data to that file, which is destined for the path. Raises RdoError."""
        with self._explained(path):
            view = memoryview(data)
            while view:
                view = view[os.write(self._writing, view) :]

    def copy(self, name: str, other: str) -> None:
        """Duplicate a received file. Raises RdoError."""
        with self._explained(STATE):
            source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._stage())
            target = os.open(other, _WRITE, 0o600, dir_fd=self._stage())
            with open(source, "rb") as reader, open(target, "wb") as writer:
                shutil.copyfileobj(reader, writer)

    def place(self, name: str, path: bytes, seen: Seen) -> str:
        """Move a received file to its place, and return its state there. Raises RdoError."""
        stage = self._stage()
        with self._explained(path):
            os.chmod(name, seen.mode, dir_fd=stage)
            os.utime(name, ns=(seen.mtime_ns, seen.mtime_ns), dir_fd=stage, follow_symlinks=False)
            self._move(name.encode(), path)
        return self.look(path).state

    def place_link(self, path: bytes, link: bytes) -> str:
        """Create a link at a path, and return its state there. Raises RdoError."""
        with self._explained(path):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(b"link", dir_fd=self._stage())
            os.symlink(link, b"link", dir_fd=self._stage())
            self._move(b"link", path)
        return self.look(path).state

    def make_directory(self, path: bytes, mode: int, *, is_ours: bool = False) -> None:
        """Create a directory and its parents. It gets this mode if it is created now, was created by this object for
        files in it, or was created by an earlier pull (`is_ours`). Raises RdoError."""
        with self._explained(path):
            self._make(path)
            if is_ours or path in self.made:
                parent, _, name = path.rpartition(b"/")
                directory = self._directory(parent)
                if stat.S_IMODE(os.lstat(name, dir_fd=directory).st_mode) != mode | 0o700:
                    os.chmod(name, mode | 0o700, dir_fd=directory)

    def remove(self, path: bytes) -> None:
        """Remove a file, a link or an empty directory. Anything else is left."""
        parent, _, name = path.rpartition(b"/")
        with contextlib.suppress(OSError):
            directory = self._directory(parent)
            if stat.S_ISDIR(os.lstat(name, dir_fd=directory).st_mode):
                if path in self._directories:
                    os.close(self._directories.pop(path))
                os.rmdir(name, dir_fd=directory)
            else:
                os.unlink(name, dir_fd=directory)

    def _stage(self) -> int:
        if self._handle < 0:
            with self._explained(STATE):
                root = self._directory(b"")
                with contextlib.suppress(FileExistsError):
                    os.mkdir(STATE, 0o700, dir_fd=root)
                state = os.open(STATE, _DIRECTORY, dir_fd=root)
                try:
                    os.mkdir(self._received, 0o700, dir_fd=state)
                    self._handle = os.open(self._received, _DIRECTORY, dir_fd=state)
                finally:
                    os.close(state)
        return self._handle

    def _directory(self, path: bytes) -> int:
        """The descriptor of a directory, which is kept open. Raises OSError."""
        if path not in self._directories:
            if len(self._directories) > OPEN_LIMIT:
                for handle in self._directories.values():
                    os.close(handle)
                self._directories.clear()
            self._directories[path] = open_directory(self._root, path)
        return self._directories[path]

    def _make(self, path: bytes) -> None:
        """Create a directory with the mode of its parent, since the umask here is the master's, not the user's."""
        parent, _, name = path.rpartition(b"/")
        if not path or self.look(path).kind == "directory":
            return
        self._make(parent)
        directory = self._directory(parent)
        os.mkdir(name, 0o700, dir_fd=directory)
        os.chmod(name, stat.S_IMODE(os.fstat(directory).st_mode) & 0o777 | 0o700, dir_fd=directory)
        self.made.append(path)

    def _move(self, name: bytes, path: bytes) -> None:
        parent, _, last = path.rpartition(b"/")
        self._make(parent)
        directory = self._directory(parent)
        try:
            os.rename(name, last, src_dir_fd=self._stage(), dst_dir_fd=directory)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._copy(name, last, directory)

    def _copy(self, name: bytes, last: bytes, directory: int) -> None:
        """Move a file to another file system: it is copied next to its place first."""
        stage, beside = self._stage(), STATE + b"-" + self._received
        found = os.lstat(name, dir_fd=stage)
        if stat.S_ISLNK(found.st_mode):
            os.symlink(os.readlink(name, dir_fd=stage), beside, dir_fd=directory)
        else:
            source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=stage)
            target = os.open(beside, _WRITE, 0o600, dir_fd=directory)
            with open(source, "rb") as reader, open(target, "wb") as writer:
                shutil.copyfileobj(reader, writer)
                os.fchmod(target, stat.S_IMODE(found.st_mode))
            os.utime(beside, ns=(found.st_mtime_ns, found.st_mtime_ns), dir_fd=directory, follow_symlinks=False)
        os.rename(beside, last, src_dir_fd=directory, dst_dir_fd=directory)
        os.unlink(name, dir_fd=stage)

    @contextlib.contextmanager
    def _explained(self, path: bytes) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            what = f"cannot write `{fsdecode(path)}`, which was pulled from the target"
            if path == STATE:
                place = fsdecode(os.path.join(self._root, STATE))
                what = f"cannot write to `{place}`, where files from the target are received"
            raise RdoError(what, reason(error), HINTS.get(error.errno or 0, "fix what is in its way")) from None
