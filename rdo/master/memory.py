"""How the control master uses memory: what is collected as garbage, and what is kept for the next buffer."""

from __future__ import annotations

import gc

M_TOP_PAD = -2
M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8
"""Parameters of mallopt(3), as in <malloc.h>."""

KEPT_FREE = 1024 * 1024
"""Bytes at the end of a heap that are kept though nothing uses them."""

MAPPED_SIZE = 4 * 1024 * 1024
"""Bytes from which on a block is mapped for itself, and unmapped when it is freed: larger than any buffer of ours."""


NEW_OBJECTS = 10_000
"""So many are made before the collector looks at them. What is known of a large project's files are more, and all are
kept: with the 700 that Python begins with, to look at them is a twentieth of the work of a first copy."""


def collect_garbage() -> None:
    """From now on, but not what is loaded by now."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
    gc.enable()


def keep_freed() -> None:
    """Have the C library keep what is freed, for the next buffer. With what it does by itself, each buffer of a stream
    is given back to the system, and the next one comes page by page, zeroed: an eighth of the time that a stream takes.
    """
    try:
        import ctypes

        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, ImportError, OSError):
        return  # a C library that knows no such thing, or a Python without access to it
    mallopt(M_ARENA_MAX, 1)  # one heap, not one for each thread: Python runs one at a time
    mallopt(M_TOP_PAD, KEPT_FREE)
    mallopt(M_MMAP_THRESHOLD, MAPPED_SIZE)
