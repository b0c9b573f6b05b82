"""Unexpected exceptions in the control master: logged with their traceback, and shown to the user in one line.

An exception that is not an RdoError is a bug of rdo.
"""

from __future__ import annotations

import threading
import time
import traceback

from rdo.errors import RdoError
from rdo.util import log

TRACEBACK_LIMIT = 16 * 1024
"""Bytes of one traceback that are kept: its end names the error."""

REASON_LIMIT = 300
"""Characters of an exception's own words in an error message."""


def report(error: BaseException, to: int = log.LOG) -> None:
    """Write the exception and where it came from to the log. Never raises: nothing above would catch it."""
    try:
        head = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {threading.current_thread().name}\n"
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        data = (head + text[-TRACEBACK_LIMIT:]).encode("utf-8", "backslashreplace")
    except BaseException:  # no memory, or an exception that cannot even be shown
        data = b"an exception that cannot be shown\n"
    log.append(data, to)


def explain(error: BaseException, path: str) -> RdoError:
    """The exception for the user; the log is at `path`."""
    kind = type(error).__name__
    try:
        words = " ".join(str(error).split())
    except BaseException:
        words = ""
    why = f"{kind}: {words}" if words else kind
    return RdoError("internal error in the control master", why[:REASON_LIMIT], f"this is a bug in rdo; see `{path}`")
