"""Reads the state of a path such that no later write goes unnoticed.

Two writes within one tick of the clock leave a file with the same times. So a file that was examined within a tick of
its last change gets another version the next time, whether or not it was written again: git calls such files racy.
"""

from __future__ import annotations

import os
import stat
import time

from rdo.sync.entry import Entry

TICK = 20_000_000
"""Nanoseconds within which two changes can have the same time: twice the tick of the slowest kernel."""

COARSE_TICK = 2_100_000_000
"""The same for file systems that store only whole seconds, or even ones."""

SECOND = 1_000_000_000

VERSIONS = 1000
"""Versions of a file, which count up from the time of its last change, before they reach another time."""


class FileStates:
    """The states of the files in one directory."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._racy: set[bytes] = set()
        self.linked: set[bytes] = set()
        """Files with several hard links. A write by another name may cause no event here."""
        self.new_links: set[bytes] = set()
        """Those that were not known as such when this look began. A new link causes no event for the older ones."""
        self._now = 0

    def begin(self) -> None:
        """Begin: whatever is examined after this is as it is now, or later."""
        self._now = time.time_ns()
        self.new_links.clear()

    def look(self, path: bytes, found: os.stat_result, known: Entry | None) -> Entry | None:
        """The entry for a path, given the result of lstat(2): the known one, if it is the same.

        None for what is not a file, link or directory, or does not exist.
        """
        if stat.S_ISREG(found.st_mode):
            return self._file(path, found, known)
        if stat.S_ISDIR(found.st_mode):
            entry = Entry("directory", stat.S_IMODE(found.st_mode))
        elif stat.S_ISLNK(found.st_mode):
            try:
                entry = Entry("link", link=os.readlink(self._root + b"/" + path))
            except OSError:
                return None
        else:
            return None
        return known if known == entry else entry

    def _file(self, path: bytes, found: os.stat_result, known: Entry | None) -> Entry:
        changed = found.st_ctime_ns
        entry = Entry("file", stat.S_IMODE(found.st_mode), found.st_size, found.st_mtime_ns, b"", changed)
        if known is not None and known[:-1] == entry[:-1] and 0 <= known.version - changed < VERSIONS:
            entry = known._replace(version=known.version + 1) if path in self._racy else known
        tick = TICK if changed % SECOND else COARSE_TICK
        self._note(self._racy, path, self._now - changed < tick)
        if found.st_nlink > 1 and path not in self.linked:
            self.new_links.add(path)
        self._note(self.linked, path, found.st_nlink > 1)
        return entry

    @staticmethod
    def _note(paths: set[bytes], path: bytes, belongs: bool) -> None:
        if belongs:
            paths.add(path)
        else:
            paths.discard(path)

    def forget(self, path: bytes) -> None:
        """Note that nothing exists at the path now."""
        self._racy.discard(path)
        self.linked.discard(path)
        self.new_links.discard(path)
