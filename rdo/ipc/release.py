"""Which rdo a program is of: what a client and a control master compare. See native/release.c."""

from __future__ import annotations

import os

import rdo
from rdo.ipc import protocol


def release() -> bytes:
    """What client and master compare: protocol, version, and which installation: an upgrade in place changes it."""
    found = [protocol.VERSION, rdo.__version__.encode()]
    place = rdo.__path__[0]
    for path in (place, place + "/__init__.py"):
        try:
            info = os.stat(path)
        except OSError:
            continue  # it is being replaced just now
        found.append(b"%x-%x" % (info.st_ino, info.st_mtime_ns))
    return b" ".join(found)
