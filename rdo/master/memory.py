"""Memory settings of the control master: garbage collection, and reuse of freed memory."""

from __future__ import annotations

import gc

M_TOP_PAD = -2
M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8
"""Parameters of mallopt(3), from <malloc.h>."""

KEPT_FREE = 1024 * 1024
"""Bytes at the end of a heap that are kept although they are free."""

MAPPED_SIZE = 4 * 1024 * 1024
"""Bytes from which on a block gets a mapping of its own, which is unmapped when freed; larger than any of rdo's
buffers."""


NEW_OBJECTS = 10_000
"""Objects to create before the collector runs. A large project's files take more than that, all of which are kept: with
Python's default of 700, collections take a twentieth of the time of a first copy."""


def collect_garbage() -> None:
    """Enable garbage collection for objects created from now on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
    gc.enable()


def keep_freed() -> None:
    """Have the C library keep freed memory for the next buffer. By default it returns each buffer of a stream to the
    system, and gets the next one page by page, zeroed, which takes an eighth of the time of a stream."""
    try:
        import ctypes

        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, ImportError, OSError):
        return  # another C library, or a Python without ctypes
    mallopt(M_ARENA_MAX, 1)  # a single heap instead of one per thread, since Python runs only one at a time
    mallopt(M_TOP_PAD, KEPT_FREE)
    mallopt(M_MMAP_THRESHOLD, MAPPED_SIZE)
