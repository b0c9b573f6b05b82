"""Which rdo a program is of: what a client and a control master compare. See native/release.c."""

from __future__ import annotations

import os

import rdo
from rdo.ipc import protocol


def release() -> bytes:
    """What client and master compare: protocol, version, and which installation: an upgrade in place changes it."""
    found = [protocol.VERSION, rdo.__version__.encode()]
    place = rdo.__path__[0]
    try:
        # Not the time of the directory: Python changes it when it first runs what an installer did not compile.
        found.append(b"%x" % os.stat(place).st_ino)
        info = os.stat(place + "/__init__.py")
        found.append(b"%x-%x" % (info.st_ino, info.st_mtime_ns))
    except OSError:
        pass  # it is being replaced just now
    return b" ".join(found)
