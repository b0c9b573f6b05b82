"""Watches directories on Linux by inotify(7): only those it is asked to, so that ignored directories cost nothing.

The kernel queues an event before the system call that causes it returns. So the queue contains every write that was
finished before it is read, and no further proof is needed. The queue is read only when somebody asks; its length is
limited, and the kernel reports an overflow. Writes through a memory map are reported when the map is removed.

The library used for macOS (fsevents.py) is not used here: on Linux it drops the report of an overflow, cannot leave out
a directory, and refuses names that are not UTF-8.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import select
import struct
import termios
from collections.abc import Collection

from rdo.errors import reason
from rdo.sync.mounts import MOUNTINFO, MountTable
from rdo.sync.watcher import CHANGES_LIMIT, EVERYTHING, Changed, Unwatchable

IN_MODIFY, IN_ATTRIB, IN_CLOSE_WRITE, IN_MOVED_FROM, IN_MOVED_TO = 0x2, 0x4, 0x8, 0x40, 0x80
IN_CREATE, IN_DELETE, IN_DELETE_SELF, IN_MOVE_SELF = 0x100, 0x200, 0x400, 0x800
IN_UNMOUNT, IN_Q_OVERFLOW, IN_IGNORED = 0x2000, 0x4000, 0x8000
IN_ONLYDIR, IN_DONT_FOLLOW, IN_EXCL_UNLINK, IN_ISDIR = 0x1000000, 0x2000000, 0x4000000, 0x40000000

CONTENTS = IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_EXCL_UNLINK
NAMES = IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE
IN_A_DIRECTORY = CONTENTS | NAMES | IN_ONLYDIR | IN_DONT_FOLLOW
OF_THE_ROOT = IN_A_DIRECTORY | IN_DELETE_SELF | IN_MOVE_SELF
LOSES_SIGHT = IN_Q_OVERFLOW | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF

EVENT = struct.Struct("iIII")
"""Watch, mask, cookie, and length of the name that follows."""

READ_SIZE = 64 * 1024

GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES)
"""Errors of a directory that cannot be watched because it cannot be listed; whoever lists it finds out."""

WATCHES_HINT = "raise the limit: `sudo sysctl fs.inotify.max_user_watches=1048576`"
INSTANCES_HINT = "raise the limit: `sudo sysctl fs.inotify.max_user_instances=1024`"


class InotifyWatcher:
    """Watches directories below one root."""

    exact = keeps_up = True

    def __init__(self, root: bytes) -> None:
        """`root` is absolute. Raises Unwatchable."""
        self._root = root
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._paths: dict[int, tuple[bytes, ...]] = {}
        """Directories by watch. A directory has several paths if it is mounted more than once."""
        try:
            self._mounts = MountTable(os.path.realpath(root))
        except OSError as error:
            raise Unwatchable(f"`{MOUNTINFO}`: {reason(error)}") from error
        self._file: int = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._file < 0:
            self._mounts.close()
            raise _refusal(ctypes.get_errno(), "this user has too many watchers", INSTANCES_HINT)

    def watch(self, directory: bytes) -> None:
        if kind := self._mounts.changed_elsewhere(directory):
            raise Unwatchable(f"its file system ({kind}) does not report changes made by other machines")
        mask = IN_A_DIRECTORY if directory else OF_THE_ROOT
        watch: int = self._libc.inotify_add_watch(self._file, self._root + b"/" + directory, mask)
        if watch < 0:
            if (code := ctypes.get_errno()) in GONE:
                return
            raise _refusal(code, "this user watches too many directories", WATCHES_HINT)
        known = self._paths.get(watch, ())
        if directory not in known:
            self._paths[watch] = (*known, directory)

    def retain(self, directories: Collection[bytes]) -> None:
        self._drop([path for paths in self._paths.values() for path in paths if path not in directories])

    def _drop(self, directories: Collection[bytes]) -> None:
        dropped = set(directories)
        for watch, paths in list(self._paths.items()):
            if dropped.isdisjoint(paths):
                continue
            left = tuple(path for path in paths if path not in dropped)
            if left:
                self._paths[watch] = left
            else:
                del self._paths[watch]
                self._libc.inotify_rm_watch(self._file, watch)

    def changed(self) -> Changed:
        paths: set[bytes] = set()
        replaced: set[bytes] = set()
        everything = self._mounts.changed()
        queued = struct.unpack("i", fcntl.ioctl(self._file, termios.FIONREAD, b"\0\0\0\0"))[0]
        while queued > 0:
            try:
                events = os.read(self._file, READ_SIZE)
            except BlockingIOError:
                break
            queued -= len(events)
            everything = self._read(events, paths, replaced) or everything
            if len(paths) + len(replaced) > CHANGES_LIMIT:
                everything = True
                paths.clear()
        return EVERYTHING if everything else Changed(paths, replaced)

    def _read(self, events: bytes, paths: set[bytes], replaced: set[bytes]) -> bool:
        """Read events, and return whether some were missed."""
        missed = False
        position = 0
        while position < len(events):
            watch, mask, _, length = EVENT.unpack_from(events, position)
            position += EVENT.size + length
            missed = missed or bool(mask & LOSES_SIGHT)
            name = events[position - length : position].rstrip(b"\0")
            for directory in self._paths.get(watch, ()):
                path = directory + b"/" + name if directory and name else directory or name
                if not mask & IN_ISDIR or not mask & NAMES:
                    paths.add(path)
                else:
                    replaced.add(path)
                    if mask & IN_MOVED_FROM:
                        self._moved(path)
            if mask & IN_IGNORED:
                self._paths.pop(watch, None)
        return missed

    def _moved(self, directory: bytes) -> None:
        """Forget a directory that was moved. If it is still below the root, another event reports its new name."""
        below = directory + b"/"
        left = [path for paths in self._paths.values() for path in paths if path == directory or path.startswith(below)]
        self._drop(left)

    def wait(self, seconds: float) -> None:
        file = self._file
        if file >= 0:
            poll = select.poll()
            poll.register(file, select.POLLIN)
            poll.poll(seconds * 1000)

    def close(self) -> None:
        self._mounts.close()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _refusal(code: int, limit: str, hint: str) -> Unwatchable:
    """Why the kernel refuses to watch more. Usually a limit, which applies per user."""
    if code in (errno.ENOSPC, errno.EMFILE):
        return Unwatchable(limit, hint)
    return Unwatchable(reason(OSError(code, os.strerror(code))))
