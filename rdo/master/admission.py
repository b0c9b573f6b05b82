"""Whom a control master may serve: its own user's clients of its own release, in surroundings like its own."""

from __future__ import annotations

import os
from functools import lru_cache

import rdo
from rdo.fscodec import fsdecode
from rdo.ipc import protocol
from rdo.ipc.request import version as request_version
from rdo.master.surroundings import surroundings_of
from rdo.util import limits


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
