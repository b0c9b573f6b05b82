"""What a process cannot change, and a control master would give to what it starts: groups, namespaces, privileges.

One master serves all callers that have in common what it was started with. Others have a master of their own, at
another socket: what they are not allowed, ours must not do for them by chance, and what they see, ours may not.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import NamedTuple

from rdo.fscodec import fsencode
from rdo.ipc.address import OTHER_SOCKET

NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")

STATUS = ("Gid:", "Groups:", "Cap", "NoNewPrivs:", "Seccomp")
"""Beginnings of those lines of /proc/PID/status that count."""


class Surroundings(NamedTuple):
    """Those of one process, as far as they can be seen: no text where they cannot, as on macOS."""

    place: str
    """The directory of the rdo that it runs: two installations do not take turns in replacing each other's master."""
    seen: tuple[tuple[str, str], ...]

    def include(self, other: Surroundings) -> bool:
        """Whether what has these can serve what has the `other` ones."""
        ours = dict(self.seen)
        return self.place == other.place and all(ours.get(name, text) == text for name, text in other.seen)

    @property
    def socket(self) -> str:
        """The name of the socket of a master for just these."""
        digest = hashlib.sha256(fsencode(repr(self))).hexdigest()
        return f"{OTHER_SOCKET}{digest[:16]}"


def surroundings_of(pid: int, place: str) -> Surroundings:
    """Those of a process of the same user, which runs the rdo at `place`. Raises nothing."""
    seen = []
    for name in NAMESPACES:
        with contextlib.suppress(OSError):
            seen.append((name, os.readlink(f"/proc/{pid}/ns/{name}")))
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        seen.append(("status", "".join(line for line in file if line.startswith(STATUS))))
    with contextlib.suppress(OSError), open(f"/proc/{pid}/personality", encoding="ascii") as file:
        seen.append(("personality", file.read()))
    return Surroundings(place, tuple(seen))
