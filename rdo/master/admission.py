"""Whom a control master may serve: its own user's clients of its own release, in surroundings like its own.

Surroundings are what a process cannot change, and a control master would give to what it starts: groups, namespaces,
privileges. One master serves all callers that have in common what it was started with. Others have a master of their
own, at another socket: what they are not allowed, ours must not do for them by chance, and what they see, ours may not.
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
"""Those lines of /proc/PID/status that count."""


class NotServed(Exception):
    """The client is to ask another master, at the socket of this name; if it is empty, one that takes our place."""

    def __init__(self, socket: str = "") -> None:
        self.socket = socket


class Admission:
    """What the master was started with, for comparison."""

    def __init__(self, release: bytes) -> None:
        """`release` is what a client has to have, too."""
        self._release = release
        self._limits = limits.limits_of(0)
        self._surroundings = surroundings_of(os.getpid(), _resolved(rdo.__path__[0]))

    def check(self, payload: bytes, peer: int) -> None:
        """Look at the payload of RUN and at the process that sent it, 0 if unknown. Raises NotServed."""
        release, place = request_version(payload)
        theirs = surroundings_of(peer, _resolved(fsdecode(place)))
        speaks_alike = release.split(b" ")[0] == protocol.VERSION  # else there may be no place where it is looked for
        if speaks_alike and not self._surroundings.include(theirs):
            raise NotServed(theirs.socket)
        if release != self._release or not self._is_free_enough(peer):
            raise NotServed

    def _is_free_enough(self, process: int) -> bool:
        """Whether we can do all for the client that a master of its own could: one that was started under `nice` or a
        hard limit cannot.
        """
        if not process or self._limits is None:
            return True
        theirs = limits.limits_of(process)
        return theirs is None or self._limits.allow(theirs)


@lru_cache(maxsize=16)
def _resolved(place: str) -> str:
    """An installation's directory by one name, whichever links lead to it."""
    return os.path.realpath(place)


class Surroundings(NamedTuple):
    """Those of one process, as far as they can be seen: nothing where they cannot, as on macOS."""

    place: str
    """The directory of the rdo that it runs: two installations do not take turns in replacing each other's master."""
    seen: tuple[tuple[str, bytes], ...]

    def include(self, other: Surroundings) -> bool:
        """Whether what has these can serve what has the `other` ones."""
        if self == other:  # as a rule
            return True
        ours = dict(self.seen)
        return self.place == other.place and all(ours.get(name, text) == text for name, text in other.seen)

    @property
    def socket(self) -> str:
        """The name of the socket of a master for just these."""
        digest = hashlib.sha256(fsencode(repr(self))).hexdigest()
        return f"{OTHER_SOCKET}{digest[:16]}"


def surroundings_of(pid: int, place: str) -> Surroundings:
    """Those of a process of the same user, which runs the rdo at `place`. Raises nothing."""
    reader = brief_calls.Reader()
    found = {name: reader.link(f"/proc/{pid}/ns/{name}") for name in NAMESPACES}
    status = reader.file(f"/proc/{pid}/status")
    found["status"] = None if status is None else b"".join(STATUS.findall(status))
    found["personality"] = reader.file(f"/proc/{pid}/personality")
    return Surroundings(place, tuple([(name, text) for name, text in found.items() if text is not None]))
