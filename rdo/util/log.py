"""The log of a control master, which is its stderr (client/spawn_master.py): its actions, and unexpected errors.

It names targets and config files, but never a command's arguments or a variable's value. An exception that is not an
RdoError is a bug in rdo: it is logged with its traceback, and shown to the user in one line.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import traceback
from collections.abc import Iterator

from rdo.errors import RdoError, printable

LOG = 2

LIMIT = 1024 * 1024
"""Maximum size of the log in bytes. Beyond that its older half is dropped."""

TRACEBACK_LIMIT = 16 * 1024
"""Bytes of a traceback that are logged, counted from its end, which names the error."""

REASON_LIMIT = 300
"""Characters of an exception's own message that an error message includes."""

_paths: dict[int, str] = {}
"""The paths of logs that are re-created if their file is deleted, by file descriptor."""


def keep_at(path: str, log: int = LOG) -> None:
    """Keep the log at this path, even after its file has been deleted, as a cleaner of /tmp does."""
    _paths[log] = path


def event(text: str) -> None:
    """Log an event in one line. Never raises."""
    append(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {printable(' '.join(text.split()))}\n".encode())


def append(data: bytes, log: int = LOG) -> None:
    """Append to the log. Never raises: nothing above would catch it, and on a full disk the user still sees the
    error."""
    try:
        info = os.fstat(log)
        if not info.st_nlink and log in _paths:
            _make_again(log)
            info = os.fstat(log)
        size = info.st_size
        if size + len(data) > LIMIT:
            kept = _latest(log, size)
            os.ftruncate(log, 0)
            os.write(log, kept)
        os.write(log, data)
    except OSError:
        return


def _make_again(log: int) -> None:
    """Re-create the log. Several threads may do so at once, and find the same file. If that fails, the old one remains
    in use."""
    with contextlib.suppress(OSError):
        file = os.open(_paths[log], os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        os.dup2(file, log)
        os.close(file)


def _latest(log: int, size: int) -> bytes:
    """The newer half, from the beginning of a line."""
    try:
        return os.pread(log, LIMIT // 2, max(0, size - LIMIT // 2)).partition(b"\n")[2]
    except OSError:  # the log cannot be read
        return b""


def crash(error: BaseException, log: int = LOG) -> None:
    """Log the exception with its traceback. Never raises: nothing above would catch it."""
    try:
        head = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {threading.current_thread().name}\n"
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        data = (head + text[-TRACEBACK_LIMIT:]).encode("utf-8", "backslashreplace")
    except BaseException:  # out of memory, or an exception that cannot even be printed
        data = b"an exception that cannot be shown\n"
    append(data, log)


@contextlib.contextmanager
def contained() -> Iterator[None]:
    """Log an unexpected exception in this block, and continue after it, for the sake of whatever else is served."""
    try:
        yield
    except (Exception, SystemExit) as error:
        crash(error)


def explain_crash(error: BaseException, path: str) -> RdoError:
    """The exception as an error for the user, which names the log at `path`."""
    return RdoError("internal error in the control master", words(error), f"this is a bug in rdo; see `{path}`")


def words(error: BaseException) -> str:
    """The type and the message of an unexpected exception."""
    kind = type(error).__name__
    try:
        said = " ".join(str(error).split())
    except BaseException:
        said = ""
    return (f"{kind}: {said}" if said else kind)[:REASON_LIMIT]
