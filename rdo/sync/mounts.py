"""The file systems mounted at and below a directory, on Linux. A mount changes the contents of a directory without an
event.

Some file systems can be changed by others than this kernel, and then there is no event either.
"""

from __future__ import annotations

import os
import re
import select
from collections.abc import Mapping

MOUNTINFO = "/proc/self/mountinfo"
"""See proc_pid_mountinfo(5). poll(2) reports it as ready when a file system has been mounted or unmounted."""

CHANGED_ELSEWHERE = re.compile(
    "9p|afs|beegfs|ceph|cifs|coda|drvfs|fuse(\\..*)?|gfs2?|glusterfs|lustre|ncpfs|nfs4?|ocfs2|orangefs|osxfs|prl_fs"
    "|smb3?|smbfs|vboxsf|virtiofs|vmhgfs|fakeowner"
)
"""File system types that another machine, or the host of this one, can change."""

LOCAL_FUSE = {"fuse.cryfs", "fuse.encfs", "fuse.gocryptfs", "fuse.securefs"}
"""Encrypted directories, which are changed only through their mount."""

_OCTAL = re.compile(rb"\\([0-7]{3})")


class MountTable:
    """The file systems at and below a directory."""

    def __init__(self, directory: bytes) -> None:
        """Raises OSError if there is no such table."""
        self._directory = directory
        self._file = os.open(MOUNTINFO, os.O_RDONLY | os.O_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLPRI)
        self._types = self._read()

    def changed(self) -> bool:
        """Whether mounts have changed since the last call."""
        if not self._poll.poll(0):
            return False
        before, self._types = self._types, self._read()
        return before != self._types

    def changed_elsewhere(self, path: bytes) -> str:
        """The type of the file system mounted at a path, relative to the directory, if it can change without an event;
        else empty."""
        kind = self._types.get(path, "")
        return kind if CHANGED_ELSEWHERE.fullmatch(kind) and kind not in LOCAL_FUSE else ""

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _read(self) -> Mapping[bytes, str]:
        os.lseek(self._file, 0, os.SEEK_SET)
        text = b""
        while more := os.read(self._file, 1 << 16):
            text += more
        return mounted(text, self._directory)


def mounted(text: bytes, directory: bytes) -> Mapping[bytes, str]:
    """The type of each file system below a directory by relative path; b"" stands for the one that contains the
    directory."""
    found: dict[bytes, str] = {}
    own = b""
    for line in text.removesuffix(b"\n").split(b"\n"):
        before, _, after = line.partition(b" - ")
        point = _OCTAL.sub(lambda match: bytes([int(match[1], 8)]), before.split(b" ")[4])
        kind = after.split(b" ")[0].decode("ascii", "replace")
        if point.startswith(directory.rstrip(b"/") + b"/") and point != directory:
            found[point[len(directory.rstrip(b"/")) + 1 :]] = kind
        elif (point == directory or directory.startswith(point.rstrip(b"/") + b"/")) and len(point) >= len(own):
            own = point
            found[b""] = kind
    return found
