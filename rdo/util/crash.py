"""Unexpected exceptions in the control master: logged with their traceback, and shown to the user in one line.

An exception that is not an RdoError is a bug of rdo. The master's stderr is its log (spawn_master.py).
"""

from __future__ import annotations

import os
import threading
import time
import traceback

from rdo.errors import RdoError

LOG = 2

LOG_LIMIT = 1024 * 1024
"""Bytes of the log. Beyond that it is emptied: the last entries explain most."""

TRACEBACK_LIMIT = 16 * 1024
"""Bytes of one traceback that are kept: its end names the error."""

REASON_LIMIT = 300
"""Characters of an exception's own words in an error message."""


def log(error: BaseException, log: int = LOG) -> None:
    """Write the exception and where it came from to the log. Never raises: nothing above would catch it."""
    try:
        head = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {threading.current_thread().name}\n"
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        data = (head + text[-TRACEBACK_LIMIT:]).encode("utf-8", "backslashreplace")
    except BaseException:  # no memory, or an exception that cannot even be shown
        data = b"an exception that cannot be shown\n"
    try:
        if os.fstat(log).st_size + len(data) > LOG_LIMIT:
            os.ftruncate(log, 0)
        os.write(log, data)
    except OSError:
        return  # the disk is full; the user still sees the line


def explain(error: BaseException, path: str) -> RdoError:
    """The exception for the user; the log is at `path`."""
    kind = type(error).__name__
    try:
        words = " ".join(str(error).split())
    except BaseException:
        words = ""
    why = f"{kind}: {words}" if words else kind
    return RdoError("internal error in the control master", why[:REASON_LIMIT], f"this is a bug in rdo; see `{path}`")
