"""Whom a control master may serve: clients of its own user and release, in surroundings like its own.

Surroundings are what a process cannot change and what its children inherit: groups, namespaces, privileges. One master
serves all callers whose surroundings equal those it was started in. Any others get a master of their own, at another
socket: this master must not do for them by accident what they may not do, nor show them what they cannot see.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import lru_cache
from typing import NamedTuple

import rdo
from rdo.fscodec import fsdecode, fsencode
from rdo.ipc import protocol
from rdo.ipc.address import OTHER_SOCKET
from rdo.ipc.request import version as request_version
from rdo.util import brief_calls, limits

NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")

STATUS = re.compile(rb"\n(?:Gid:|Groups:|Cap|NoNewPrivs:|Seccomp).*")
"""The lines of /proc/PID/status to compare."""


class NotServed(Exception):
    """The client should ask another master, at the socket of this name; if the name is empty, a new one that takes this
    master's place."""

    def __init__(self, socket: str = "") -> None:
        self.socket = socket


class Admission:
    """Compares clients with what the master was started with."""

    def __init__(self, release: bytes) -> None:
        """`release` is what a client must have, too."""
        self._release = release
        self._limits = limits.limits_of(0)
        self._surroundings = surroundings_of(os.getpid(), _resolved(rdo.__path__[0]))

    def check(self, payload: bytes, peer: int) -> None:
        """Check the payload of RUN and the process that sent it, 0 if unknown. Raises NotServed."""
        release, place = request_version(payload)
        theirs = surroundings_of(peer, _resolved(fsdecode(place)))
        # otherwise the payload may have no directory where we expect it
        speaks_alike = release.split(b" ")[0] == protocol.VERSION
        if speaks_alike and not self._surroundings.include(theirs):
            raise NotServed(theirs.socket)
        if release != self._release or not self._is_free_enough(peer):
            raise NotServed

    def _is_free_enough(self, process: int) -> bool:
        """Whether this master can do all that one started by the client could. One started under `nice` or a hard limit
        cannot."""
        if not process or self._limits is None:
            return True
        theirs = limits.limits_of(process)
        return theirs is None or self._limits.allow(theirs)


@lru_cache(maxsize=16)
def _resolved(place: str) -> str:
    """The directory of an installation with links resolved, so that it has only one name."""
    return os.path.realpath(place)


class Surroundings(NamedTuple):
    """The surroundings of a process, as far as they are visible. Fields are empty where they are not, as on macOS."""

    place: str
    """The directory of the rdo that it runs, so that two installations do not keep replacing each other's master."""
    seen: tuple[tuple[str, bytes], ...]

    def include(self, other: Surroundings) -> bool:
        """Whether a process with these surroundings can serve one with the `other` ones."""
        if self == other:  # the usual case
            return True
        ours = dict(self.seen)
        return self.place == other.place and all(ours.get(name, text) == text for name, text in other.seen)

    @property
    def socket(self) -> str:
        """The name of the socket of a master for exactly these surroundings."""
        digest = hashlib.sha256(fsencode(repr(self))).hexdigest()
        return f"{OTHER_SOCKET}{digest[:16]}"


def surroundings_of(pid: int, place: str) -> Surroundings:
    """The surroundings of a process of the same user, which runs the rdo at `place`. Never raises."""
    reader = brief_calls.Reader()
    found = {name: reader.link(f"/proc/{pid}/ns/{name}") for name in NAMESPACES}
    status = reader.file(f"/proc/{pid}/status")
    found["status"] = None if status is None else b"".join(STATUS.findall(status))
    found["personality"] = reader.file(f"/proc/{pid}/personality")
    return Surroundings(place, tuple([(name, text) for name, text in found.items() if text is not None]))
