"""Prepares a directory of a target before the first push: what is possible there, and what rdo has put there so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rdo.errors import RdoError
from rdo.pool.connection import HeldConnection
from rdo.pool.shell_job import JobUse, ShellJob, started
from rdo.remote_sh.template import fill, load, quote
from rdo.sync.manifest import BadManifest, Manifest, parse

MANIFEST_LIMIT = 512 * 1024 * 1024
"""Bytes of a manifest to read: that of two million files. It is kept in memory."""

_OPEN = load("sync_open")

_WRITE = "free disk space there or fix its permissions, or set another `directory`"
_COPY = "cannot copy files to `{directory}` on `{target}`"

_FAULTS = {
    "directory": ("cannot enter or create `{directory}` on `{target}`", _WRITE),
    "link": (_COPY, "remove it there"),
    "state": ("cannot create `{directory}/.rdo-sync` on `{target}`", _WRITE),
}
"""The errors that the script reports by a word, and what to do about them."""

_ENDED = (_COPY, "have that fixed there, or use `rdo --no-sync`")
"""The same for a shell that ended before the script did."""


class TargetDirectory(NamedTuple):
    """A directory of a target."""

    directory: str
    target: str
    """The target's name for messages."""
    identity: str


class Opened(NamedTuple):
    """A directory of a target, as it was when opened."""

    connection: HeldConnection
    """The connection over which this was found out, and for which it is valid."""
    manifest: Manifest | None
    """None if it has not changed since it was read."""
    serial: str
    """The serial by which the target recognises that nothing has happened in between."""
    stat: str
    hash: str
    shell: str
    """The kind of its /bin/sh, if that does not accept every name; see bootstrap.takes."""
    caseless: bool
    """Whether two names that differ only in case are one there."""
    is_empty: bool
    """Whether the directory is otherwise empty."""
    others: bool
    """Whether rdo has put files of another machine or project there."""


def open_directory(use: JobUse, place: TargetDirectory, known: str, look: Callable[[], object]) -> Opened:
    """Open the directory. `known` is the serial of the manifest that is known already, or empty.

    Raises RdoError, of which ConnectError and LinkLost are subclasses.
    """
    directory, target = place.directory, place.target
    text = fill(_OPEN, DIRECTORY=quote(directory), IDENTITY=place.identity, KNOWN=known)
    with started(use, text, look) as job:
        words, log, pending = _read(job)
        if "lacks" in words:
            raise _lacks(words["lacks"], target)
        if "fault" in words or "end" not in words:
            raise _fault(words.get("fault", ""), directory, target, job.reason())
        connection = job.connection
    for tool in ("tar", "stat"):
        if tool not in words:
            raise _lacks(tool, target)
    if "known" in words and pending:
        return open_directory(use, place, "", look)
    try:
        manifest = None if "known" in words else parse(log, pending)
    except BadManifest as error:
        hint = f"remove `{directory}/.rdo-sync` there; rdo then treats no file there as its own"
        raise RdoError(f"cannot read rdo's list of what it has put on `{target}`", str(error), hint) from None
    more = (words.get("hash", ""), words.get("shell", ""))
    flags = ("caseless" in words, "empty" in words, "others" in words)
    return Opened(connection, manifest, words.get("serial", ""), words["stat"], *more, *flags)


def _read(job: ShellJob) -> tuple[dict[str, str], bytes, list[bytes]]:
    """The words of the script, the log, and the intents of interrupted pushes."""
    words: dict[str, str] = {}
    parts: list[list[bytes]] = []
    size = 0
    for line in job.lines():
        size += len(line)
        if size > MANIFEST_LIMIT:
            raise RdoError("rdo's list of what it has put on the target is too long", "", "remove `.rdo-sync` there")
        if line.startswith(b"!"):
            key, _, value = line[1:].decode("ascii", "replace").partition(" ")
            words[key] = value
            if key in ("manifest", "pending"):
                parts.append([])
        elif parts:
            parts[-1].append(line)
    texts = [b"\n".join(part) for part in parts] or [b""]
    return words, texts[0], texts[1:]


def _lacks(tool: str, target: str) -> RdoError:
    hint = f"install it there ({'tar' if tool == 'tar' else 'coreutils'}), or use `rdo --no-sync`"
    return RdoError(f"cannot copy files to `{target}`", f"it has no usable `{tool}`", hint)


def _fault(fault: str, directory: str, target: str, why: str) -> RdoError:
    what, hint = _FAULTS.get(fault, _ENDED)
    if fault == "link":
        why = "`.rdo-sync` there is a symbolic link"
    return RdoError(what.format(directory=directory, target=target), why or "its shell exited early", hint)
