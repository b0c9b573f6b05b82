"""A pull: finds out what there is on the target, and copies here what has changed there. See target_tree.py."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from itertools import islice

from rdo.errors import RdoError
from rdo.fscodec import fsdecode
from rdo.pool.shell_job import JobFailed, JobUse, started
from rdo.remote_sh.template import fill, load, quote
from rdo.sync import pulled_record
from rdo.sync.ancestors import all_ancestors, ancestors
from rdo.sync.examine import one_line
from rdo.sync.local_copy import LocalCopy, LocalState
from rdo.sync.opened import Opened, TargetDirectory
from rdo.sync.project_state import ProjectState
from rdo.sync.pull_scan import STAT, BadScan, Scan, Seen
from rdo.sync.pulled_record import Pulled
from rdo.sync.pulling import WITHHELD, Pulling, PullPatterns, PullResult, Scanned
from rdo.sync.push_job import chunks
from rdo.sync.receive import Received, Receiver

SCAN_LIMIT = 512 * 1024 * 1024
"""Bytes of a scan."""

PLACED_COUNT = 5000
"""Files to receive before those that have arrived are moved to their places."""

PLACED_SIZE = 64 * 1024 * 1024
"""Total bytes from which on that is done after each archive."""


FAULTS = {
    b"directory": ("it is not there",),
    b"find": ("it has no usable `find`", "install it there (findutils), or remove `pull` from the config"),
}
"""What the script reports by a word, and what to do about it."""

_PULL = load("sync_pull", SET_NEWLINE=load("newline"))


class Puller:
    """Pulls one project from one directory of a target."""

    def __init__(self, state: ProjectState, place: TargetDirectory) -> None:
        self._state = state
        self._place = place
        self._mark, self._record = pulled_record.decode(state.pulled())
        self._mark = self._mark or os.urandom(8).hex()
        self._step = f"looking for changes on `{place.target}`"

    def run(
        self, use: JobUse, opened: Opened, root: bytes, patterns: PullPatterns, over: Collection[bytes]
    ) -> PullResult:
        """Pull. What is here at the paths in `over` is overwritten. Raises RdoError, LinkLost, CallerGone."""
        mark = os.urandom(8).hex()
        text = fill(
            _PULL,
            DIRECTORY=quote(self._place.directory),
            IDENTITY=self._place.identity,
            PULLS=self._mark,
            STAT=STAT[opened.stat].format(mark=mark),
            MARK=mark,
        )
        local = LocalCopy(root)
        before = dict(self._record)
        try:
            with started(use, text, lambda: use.caller.progress(self._step)) as job:
                pulling = Pulling(job, mark.encode(), local, patterns, frozenset(over), opened.shell)
                return self._take(pulling, self._scan(pulling))
        finally:
            self._record.update({path: (Pulled("directory"),) for path in local.made})
            local.close()
            if self._record != before:
                self._save()

    def _save(self) -> None:
        self._state.write_pulled(pulled_record.encode(self._mark, self._record))

    def _scan(self, pulling: Pulling) -> Scanned:
        """What there is on the target that the patterns match."""
        job = pulling.job
        questions = [
            b"scan " + b" ".join(one_line(path) for path in (prefix, *ancestors(prefix))) + b"\n"
            for prefix in pulling.patterns.prefixes
        ]
        job.feed(questions, end=False)
        scan, size = Scan(pulling.mark, pulling.patterns.prefixes), 0
        try:
            for line in job.lines():
                size += len(line)
                if size > SCAN_LIMIT:
                    raise BadScan("more than can be looked at")
                scan.receive(line)
                if scan.fault:
                    raise self._failed(*FAULTS.get(scan.fault, ()))
                if scan.is_over:
                    return pulling.scanned(scan, self._mark.encode())
        except BadScan as error:
            raise self._failed(f"it said {error}") from None
        raise self._failed(job.reason() or "its shell ended early")

    def _failed(self, why: str = "its shell failed", hint: str = "see `rdoctl sync status`") -> RdoError:
        what = f"cannot pull from `{self._place.directory}` on `{self._place.target}`"
        return JobFailed(what, why, hint)

    def _check_asked(self, pulling: Pulling, found: Collection[bytes]) -> None:
        """Raise RdoError for a path that was asked for by name and does not exist there."""
        there = {each for path in found for each in (path, *ancestors(path))}
        for path in sorted(pulling.over - there):
            what = f"cannot take `{fsdecode(path)}` from `{self._place.target}`"
            if pulling.is_protected(path):
                raise RdoError(what, WITHHELD)
            raise RdoError(what, f"there is no such file in `{self._place.directory}`", "see `rdoctl sync diff`")

    def _take(self, pulling: Pulling, scan: Scanned) -> PullResult:
        self._check_asked(pulling, scan.found)
        removed = self._make_way(pulling, scan.found) if pulling.over else self._remove(pulling, scan)
        wanted, conflicts = self._wanted(pulling, scan.found)
        size = sum(seen.size for seen in wanted.values())
        if size > pulling.local.free:
            what = f"cannot pull {size:,} bytes from `{self._place.target}`"
            raise RdoError(what, "there is not enough space", "free disk space here")
        groups = list(chunks(map(one_line, wanted)))
        pulling.job.wait_for_writer()
        pulling.job.feed(b"send " + b" ".join(group) + b"\n" for group in groups)
        receiver = Receiver(pulling.job, pulling.mark, pulling.local, self._place.target)
        paths, pulled, received = iter(wanted), 0, dict[bytes, Received]()
        for number, group in enumerate(groups, 1):
            self._step = (
                f"copying {len(wanted):,} files from `{self._place.target}` ({pulled + len(received):,} are here)"
            )
            received.update(receiver.archive({path: wanted[path] for path in islice(paths, len(group))}))
            if number == len(groups) or len(received) > PLACED_COUNT or size > PLACED_SIZE:
                ours = [path for path in received if self._may_be_put(pulling, path, received[path])]
                conflicts += received.keys() - set(ours)
                self._put(pulling.local, {path: received[path] for path in ours}, wanted)
                pulled += len(ours)
                received = {}
        self._make_directories(pulling.local, scan.found)
        return PullResult(pulled, removed, size, tuple(sorted(conflicts)), (*scan.refused, *receiver.refused))

    def _wanted(self, pulling: Pulling, found: Mapping[bytes, Seen]) -> tuple[dict[bytes, Seen], list[bytes]]:
        """What is to be pulled, and what cannot be."""
        wanted: dict[bytes, Seen] = {}
        conflicts: list[bytes] = []
        for path, seen in sorted(found.items()):
            if seen.kind not in ("file", "link"):
                continue
            here, versions = pulling.local.look(path), self._record.get(path, ())
            if pulling.overwrites(path) or not here.kind:
                wanted[path] = seen
            elif not versions or versions[-1].token != seen.token or not versions[-1].here:
                odd = here.kind != seen.kind or (here.kind == "file" and not here.state.startswith(f"{seen.size} "))
                if odd and not self._is_ours(pulling.local, path, here, ()):
                    conflicts.append(path)
                else:
                    wanted[path] = seen
        return wanted, conflicts

    def _is_ours(self, local: LocalCopy, path: bytes, here: LocalState, contents: Collection[bytes]) -> bool:
        """Whether the local file was pulled, or has one of these contents."""
        versions = [each for each in self._record.get(path, ()) if each.kind == here.kind]
        if here.kind == "link":
            return here.link in contents or any(each.content == here.link for each in versions)
        if here.kind != "file":
            return False
        if any(each.here == here.state for each in versions):
            return True
        return local.digest(path).encode() in {*contents, *(each.content for each in versions)} - {b""}

    def _may_be_put(self, pulling: Pulling, path: bytes, received: Received) -> bool:
        here = pulling.local.look(path)
        if not here.kind or (pulling.overwrites(path) and here.kind in ("file", "link")):
            return True
        return self._is_ours(pulling.local, path, here, (received.content,))

    def _put(self, local: LocalCopy, received: Mapping[bytes, Received], wanted: Mapping[bytes, Seen]) -> None:
        """Move received files to their places. What they are to be is recorded before, since this may be
        interrupted."""
        new = {path: Pulled(each.kind, each.content, wanted[path].token) for path, each in received.items()}
        for path, version in new.items():
            self._record[path] = (*self._record.get(path, ()), version)
        self._save()
        for path, each in received.items():
            if each.kind == "link":
                here = local.place_link(path, each.content)
            else:
                here = local.place(each.name, path, wanted[path])
            self._record[path] = (new[path]._replace(here=here),)

    def _make_directories(self, local: LocalCopy, found: Mapping[bytes, Seen]) -> None:
        for path, seen in sorted(found.items()):
            if seen.kind == "directory" and local.look(path).kind in ("", "directory"):
                local.make_directory(path, seen.mode, is_ours=path in self._record)

    def _remove(self, pulling: Pulling, scan: Scanned) -> int:
        """Remove local files that are gone on the target, if they are as they were pulled. Returns how many."""
        removed = 0
        parents = all_ancestors(scan.found)
        gone = {path for path in self._record if self._is_gone(path, scan.found, parents)}
        for path in sorted(gone, reverse=True):
            versions = self._record[path]
            if not pulling.claims(path) and versions[-1].kind != "directory":
                del self._record[path]
            elif not scan.is_whole:
                continue
            elif not scan.is_known:
                self._record[path] = tuple(each._replace(token="") for each in versions)
            elif versions[-1].token or versions[-1].kind == "directory":
                here = pulling.local.look(path)
                if here.kind == "directory" or self._is_ours(pulling.local, path, here, ()):
                    pulling.local.remove(path)
                    removed += here.kind != "directory"
                del self._record[path]
        return removed

    def _make_way(self, pulling: Pulling, found: Mapping[bytes, Seen]) -> int:
        """Remove local files that are to be overwritten by a directory. Returns how many."""
        removed = 0
        for path, seen in sorted(found.items()):
            is_other = seen.kind == "directory" and pulling.local.look(path).kind in ("file", "link")
            if is_other and pulling.overwrites(path):
                pulling.local.remove(path)
                self._record.pop(path, None)
                removed += 1
        return removed

    def _is_gone(self, path: bytes, found: Mapping[bytes, Seen], parents: Collection[bytes]) -> bool:
        """Whether nothing exists there any more, or a directory has replaced something else, or the reverse."""
        is_directory = self._record[path][-1].kind == "directory"
        if (seen := found.get(path)) is not None:
            return (seen.kind == "directory") != is_directory
        return not (is_directory and path in parents)
