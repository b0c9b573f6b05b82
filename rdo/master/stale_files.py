"""Removes what former masters have left in the runtime directory: sockets, locks and logs.

A log with content is kept for a while, since an error message may have named it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import socket
import time
from collections.abc import Iterator

from rdo.ipc.startup import lock_path, log_path

STARTING = "+"
"""Suffix of the name of a socket that does not listen yet. Only the holder of the start lock creates one."""

NAME = re.compile(r"(control(?:-[0-9a-f]{16})?)(\.[0-9a-f]+|\.log|\.lock|\+)?")
"""The files that rdo creates there: sockets, those of ending masters with a random number after the name, locks, and
logs."""

LOG_AGE_LIMIT = 7 * 24 * 3600.0
"""Seconds to keep a log with content."""

ANSWER_TIMEOUT = 1.0
"""Seconds to connect. A master that takes longer is running."""


def clear(directory: str) -> None:
    """Remove files that are no longer used. Never raises: what cannot be removed now may be later."""
    with contextlib.suppress(OSError):
        names = [found for name in os.listdir(directory) if (found := NAME.fullmatch(name))]
        for name in names:
            if name[2] and name[2] not in (".log", ".lock", STARTING):
                remove_dead(os.path.join(directory, name[0]))
        for base in sorted({name[1] for name in names}):
            _clear_base(os.path.join(directory, base))


def remove_dead(path: str) -> None:
    """Remove a socket on which nobody listens any more."""
    if not _listens(path):
        with contextlib.suppress(OSError):
            os.unlink(path)


def _clear_base(path: str) -> None:
    """Remove the files of the master that would listen at the path, unless one does or is being started."""
    with _locked(lock_path(path)) as locked:
        if not locked or _listens(path):
            return
        for each in (path, path + STARTING, *_old_log(log_path(path)), lock_path(path)):
            with contextlib.suppress(OSError):
                os.unlink(each)


@contextlib.contextmanager
def _locked(path: str) -> Iterator[bool]:
    """Hold the start lock if nobody else does; the value is whether it is held. See client/spawn_master.py."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(fd)


def _old_log(path: str) -> list[str]:
    try:
        info = os.lstat(path)
    except OSError:
        return []
    return [path] if not info.st_size or time.time() - info.st_mtime > LOG_AGE_LIMIT else []


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_TIMEOUT)
        try:
            connection.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:
            return True  # a master is there, and busy
    return True
