"""What the pushed git indexes track. This distinguishes an index that git on the target has only refreshed, which may
be overwritten, from one that somebody has added to."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping

from rdo.fscodec import fsdecode
from rdo.pool.shell_job import JobUse, started
from rdo.remote_sh.template import fill, load, quote
from rdo.sync.archive import content_of
from rdo.sync.entry import Entry
from rdo.sync.examine import Found
from rdo.sync.git_index import is_index, tracked
from rdo.sync.manifest import Placed
from rdo.sync.opened import TargetDirectory
from rdo.sync.project_state import ProjectState

SIZE_LIMIT = 256 * 1024 * 1024
"""Bytes of an index: that of two million files."""

KEPT = 200
"""Indexes to remember, the latest ones of all targets."""

_FETCH = load("sync_fetch")


class PushedIndexes:
    """The indexes of one project."""

    def __init__(self, state: ProjectState, place: TargetDirectory, root: bytes) -> None:
        self._state = state
        self._place = place
        self._root = root

    def note(self, put: Iterable[tuple[bytes, Placed]]) -> None:
        """Remember what these indexes track, by their content. Raises SetupError."""
        found = {}
        for path, placed in put:
            data = content_of(self._root, path, SIZE_LIMIT)
            if hashlib.sha256(data).hexdigest() == placed.digest and (what := tracked(data)):
                found[placed.digest] = what
        if found:
            known = {**self._known(), **found}
            lines = [f"{digest} {what}\n" for digest, what in known.items()]
            self._state.write_indexes("".join(lines[-KEPT:]).encode())

    def _known(self) -> Mapping[str, str]:
        words = [line.split() for line in self._state.indexes().decode("ascii", "replace").split("\n")]
        return {each[0]: each[1] for each in words if len(each) == 2}

    def is_refreshed(self, use: JobUse, path: bytes, found: Found, ours: Collection[Placed], put: Entry | None) -> bool:
        """Whether the index on the target tracks the same as one that rdo has put there, or as the one to be put.
        Raises LinkLost."""
        if found.kind != "file" or not is_index(path):
            return False
        there = tracked(self._fetch(use, path))
        known = self._known()
        accepted = {known.get(each.digest, "") for each in ours}
        if put is not None and put.kind == "file":
            accepted.add(tracked(content_of(self._root, path, SIZE_LIMIT)))
        return there in accepted - {""}

    def _fetch(self, use: JobUse, path: bytes) -> bytes:
        """An index of the target; empty if it cannot be read."""
        text = fill(_FETCH, DIRECTORY=quote(self._place.directory), PATH=quote(f"./{fsdecode(path)}"))
        pieces, size = [], 0
        with started(use, text, lambda: use.caller.progress(f"looking at `{self._place.target}`")) as job:
            while (data := job.read()) is not None and size <= SIZE_LIMIT:
                pieces.append(data)
                size += len(data)
        return b"".join(pieces) if size <= SIZE_LIMIT else b""
