"""The errors that a push can cause, for the user. Pure."""

from __future__ import annotations

from rdo.errors import RdoError
from rdo.fscodec import fsdecode
from rdo.sync.entry import Tree
from rdo.sync.opened import TargetDirectory


def check_case(tree: Tree, target: str) -> None:
    """Raise RdoError if the target would treat two names as one."""
    seen: dict[str, bytes] = {}
    for path in sorted(tree):
        other = seen.setdefault(fsdecode(path).casefold(), path)
        if other != path:
            what = f"`{fsdecode(other)}` and `{fsdecode(path)}` cannot both be copied to `{target}`"
            raise RdoError(what, "its file system does not tell them apart", "rename one, or add it to `exclude`")


def link_on_the_way(path: bytes, target: str) -> RdoError:
    """The error for a path that is a directory here and a link there."""
    what = f"cannot copy files into `{fsdecode(path)}` on `{target}`"
    return RdoError(what, "it is a symbolic link there", "replace it with a directory there, or add it to `exclude`")


def push_fault(fault: bytes, place: TargetDirectory, why: str) -> RdoError:
    """The error for a fault that the script on the target reports."""
    what = f"cannot copy files to `{place.directory}` on `{place.target}`"
    kind, _, detail = fsdecode(fault).partition(" ")
    if kind == "locked":
        why = f"another copy is still running there, in process {detail or 'unknown'}"
        return RdoError(what, why, f"try again, or remove `{place.directory}/.rdo-sync/lock` there")
    if is_full(why):
        return RdoError(what, "no space is left on its disk", "free disk space there")
    return RdoError(what, why or "its shell exited early", "fix what is there, or use `rdo --no-sync`")


def is_full(why: str) -> bool:
    """Whether a program's message is about a full disk or an exhausted quota."""
    return any(
        each in why.lower()
        for each in ("no space left", "quota exceeded", "disk full", "wrote only", "i/o error", "write error")
    )
