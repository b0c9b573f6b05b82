"""Files on a target that a push would overwrite or remove although they are not as rdo left them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from rdo.errors import RdoError
from rdo.fscodec import fsdecode
from rdo.sync.entry import Entry
from rdo.sync.examine import Found
from rdo.sync.manifest import Placed
from rdo.sync.pull_scan import BadScan, seen

NAMED_LIMIT = 3
"""Paths that an error message names; `rdoctl sync diff` shows all."""

CHANGED, FOREIGN, MISSING, OUTDATED = "changed", "not ours", "missing", "outdated"


class Difference(NamedTuple):
    """A path that differs between the two sides."""

    path: bytes
    here: Entry | None
    there: str
    """How the path differs on the target: `changed` since rdo put it there; `not ours`, which rdo did not put there;
    `missing`; or `outdated`, changed here since rdo put it there."""


class SyncConflict(RdoError):
    """A push would overwrite or remove files on the target that are not as rdo left them. Nothing was changed."""

    def __init__(self, target: str, differences: Iterable[Difference]) -> None:
        self.differences = tuple(differences)
        changed = any(each.there == CHANGED for each in self.differences)
        state = "have changed there" if changed else "were there before rdo"
        if len(self.differences) == 1:
            state = "has changed there" if changed else "was there before rdo"
        what = f"did not copy files to `{target}`"
        why = f"{named(each.path for each in self.differences)} {state}"
        hint = "see `rdoctl sync diff`; then `rdoctl sync take here PATH`, or `there`"
        super().__init__(what, why, hint)


def named(paths: Iterable[bytes]) -> str:
    """The first few paths, in backticks, and the number of others."""
    names = [f"`{fsdecode(path)}`" for path in sorted(paths)]
    more = len(names) - NAMED_LIMIT
    if more > 0:
        return f"{', '.join(names[:NAMED_LIMIT])} and {more} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def is_ours(found: Found, versions: Collection[Placed]) -> bool:
    """Whether what is on the target is a version that rdo put there."""
    return any(is_version(found, version) for version in versions)


def is_version(found: Found, version: Placed) -> bool:
    entry = version.entry
    if found.kind != entry.kind:
        return False
    if entry.kind == "link":
        return found.link == entry.link
    if entry.kind == "directory":
        return True
    same_content = found.digest == version.digest != ""
    return same_content or found.token == version.token != ""


def is_as_put(found: Found, entry: Entry, digest: str) -> bool:
    """Whether a file or link on the target is exactly as a push would make it; `digest` is that of the local file."""
    if not found.kind == entry.kind != "directory":
        return False
    if entry.kind == "link":
        return found.link == entry.link
    try:
        there = seen(found.token)
    except BadScan:
        return False
    state = (there.mode, there.size, there.mtime_ns)
    return found.digest == digest != "" and state == (entry.mode & 0o777, entry.size, entry.mtime_ns)


def conflicts(
    found: Mapping[bytes, Found],
    put: Mapping[bytes, Entry],
    ours: Mapping[bytes, Collection[Placed]],
    here: Mapping[bytes, str],
) -> list[Difference]:
    """The differences that a push would destroy. `ours` has the versions of each path that rdo put there; `here` has
    digests of local files."""
    differences = []
    for path, each in sorted(found.items()):
        entry = put.get(path)
        equal = entry is not None and is_version(each, Placed(entry, here.get(path, "")))
        if each.kind and not equal and not is_ours(each, ours.get(path, ())):
            differences.append(Difference(path, entry, CHANGED if ours.get(path) else FOREIGN))
    return differences
