"""The log of a control master, which is its stderr (client/spawn_master.py): what it did, and what nobody foresaw.

It names targets and config files, never a command's arguments or a variable's value.
"""

from __future__ import annotations

import os
import time

LOG = 2

LIMIT = 1024 * 1024
"""Bytes of the log. Beyond that its older half is dropped."""


def event(text: str) -> None:
    """Note in one line what has happened. Never raises."""
    append(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {' '.join(text.split())}\n".encode("utf-8", "backslashreplace"))


def append(data: bytes, log: int = LOG) -> None:
    """Write to the log. Never raises: nothing above would catch it, and on a full disk the user still sees a line."""
    try:
        size = os.fstat(log).st_size
        if size + len(data) > LIMIT:
            kept = _latest(log, size)
            os.ftruncate(log, 0)
            os.write(log, kept)
        os.write(log, data)
    except OSError:
        return


def _latest(log: int, size: int) -> bytes:
    """The newer half, from the beginning of a line."""
    try:
        return os.pread(log, LIMIT // 2, max(0, size - LIMIT // 2)).partition(b"\n")[2]
    except OSError:  # it cannot be read
        return b""
