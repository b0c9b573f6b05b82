"""Identifies the release of rdo that a program belongs to, which client and control master compare. See
native/release.c."""

from __future__ import annotations

import os

import rdo
from rdo.ipc import protocol


def release() -> bytes:
    """What client and master compare: protocol, version, and installation, including its time, so that an upgrade in
    place counts."""
    found = [protocol.VERSION, rdo.__version__.encode()]
    place = rdo.__path__[0]
    try:
        # Not the time of the directory, which changes when Python first compiles what an installer did not.
        found.append(b"%x" % os.stat(place).st_ino)
        info = os.stat(place + "/__init__.py")
        found.append(b"%x-%x" % (info.st_ino, info.st_mtime_ns))
    except OSError:
        pass  # it is being replaced at this moment
    return b" ".join(found)
