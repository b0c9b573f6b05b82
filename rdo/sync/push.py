"""One push: finds out what differs, and has the target take it. See target_tree.py."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rdo.errors import RdoError
from rdo.fscodec import fsdecode
from rdo.remote_sh.bootstrap import takes
from rdo.remote_sh.template import fill, load, quote
from rdo.sync import manifest, push_job, push_plan
from rdo.sync.archive import Archive, digest_of
from rdo.sync.conflict import MISSING, OUTDATED, Difference, SyncConflict, conflicts, is_version
from rdo.sync.entry import Entry, Tree, changes
from rdo.sync.examine import HASH, Found, Target, examine
from rdo.sync.known_files import KnownFiles
from rdo.sync.large_file import LARGE_SIZE, LargeFile, Part, answer, part_name
from rdo.sync.manifest import Placed
from rdo.sync.opened import Opened, Place
from rdo.sync.push_job import Push
from rdo.sync.push_plan import plan
from rdo.sync.shell_job import JobFailed, JobUse, ShellJob, started

TRIES = 3
"""How often what differs there is looked at, if it differs again."""

CHECK_SIZE = 1024 * 1024
"""Bytes of files from which on it is worth a round trip to look first whether they may be put."""

CHECK_COUNT = 200
"""Files, likewise."""

_LOCK = load("sync_lock")
_PUSH, _PART = load("sync_push", TAKE_LOCK=_LOCK), load("sync_part", TAKE_LOCK=_LOCK)


class PushResult(NamedTuple):
    """What a push did."""

    put: int = 0
    removed: int = 0
    size: int = 0
    """Bytes of files."""
    complete: bool = True
    """Whether all was as the tree says; else files have changed or vanished here meanwhile."""


class TargetChanged(Exception):
    """The target is not as it was known: it has to be asked."""


class _Differs(Exception):
    """What the push would touch is not as rdo has left it: nothing was done."""


class _Batch(NamedTuple):
    """What is put and removed at a time."""

    put: Tree
    removed: Sequence[bytes]
    large: Mapping[bytes, Part]
    """Files that were sent before."""
    is_last: bool


class Pusher:
    """One push of a tree."""

    def __init__(self, use: JobUse, place: Place, opened: Opened, known: KnownFiles, serial: str) -> None:
        self.serial = serial
        """By which the target knows its last push."""
        self.connection = opened.connection
        self._use = use
        self._place = place
        self._opened = opened
        self._known = known
        self._target = Target(place.directory, opened.stat, opened.hash)
        self._step = f"looking at the files on `{place.target}`"
        self._is_apart = False
        """Whether a directory there is known to be on another file system than others."""
        self._found: dict[bytes, Found] = {}
        """What is there otherwise than is known, and may be overwritten."""

    def run(self, root: bytes, tree: Tree, over: Sequence[bytes]) -> PushResult:
        """Do it. Raises SyncConflict, RdoError, LinkLost, CallerGone, TargetChanged."""
        self._resolve()
        put, removed = changes(self._known.entries, tree)
        put = dict(put)
        self._overwrite(over, tree, put)
        if self._opened.caseless:
            check_case(tree, self._place.target)
        if self._opened.shell:
            self._check_names([*put, *removed])
        if not put and not removed and self._known.is_settled:
            return PushResult()
        for _ in range(TRIES):
            try:
                return self._transfer(root, tree, put, removed)
            except _Differs:
                self._look(root, put, removed)
        raise TargetChanged

    def differences(self, root: bytes, tree: Tree) -> list[Difference]:
        """What is not the same there as in the tree. Raises as `run`."""
        self._resolve()
        placed = self._known.placed
        found = self._examine(tree.keys() | placed.keys(), contents=False)
        odd = [path for path, each in found.items() if each.kind == "file" and not self._is_as_left(path, each)]
        found.update(self._examine(odd))
        here = {path: digest_of(root, path) for path in odd if path in tree and tree[path].kind == "file"}
        ours = {path: self._known.versions(path) for path in found}
        unequal = {each.path: each for each in conflicts(found, tree, ours, here)}
        for path, each in found.items():
            entry = tree.get(path)
            if path in unequal or (entry is None and not each.kind):
                continue
            if not each.kind:
                unequal[path] = Difference(path, entry, MISSING)
            elif path not in placed or not placed[path].entry.same(entry):
                unequal[path] = Difference(path, entry, OUTDATED)
        return sorted(unequal.values())

    def _is_as_left(self, path: bytes, found: Found) -> bool:
        placed = self._known.placed.get(path)
        return placed is not None and placed.token == found.token

    def _resolve(self) -> None:
        """Find out what a push that was interrupted has done."""
        if self._known.uncertain:
            self._known.resolve(self._examine(self._known.uncertain), is_version)

    def _check_names(self, paths: Iterable[bytes]) -> None:
        """Raises RdoError for one that the target's shell cannot take."""
        if odd := next((path for path in paths if not takes(self._opened.shell, path)), None):
            what = f"cannot copy `{fsdecode(odd)}` to `{self._place.target}`"
            why = "/bin/sh there is yash, which accepts only characters of its locale"
            raise RdoError(what, why, "rename it, add it to `exclude`, or use another shell as /bin/sh there")

    def _overwrite(self, over: Sequence[bytes], tree: Tree, put: dict[bytes, Entry]) -> None:
        """Let what is at these paths be overwritten."""
        if not over:
            return
        for path in tree:
            if any(path == each or path.startswith(each + b"/") for each in over):
                put[path] = tree[path]
        self._found.update(self._examine([*over, *(path for path in put if path not in over)]))

    def _examine(self, paths: Iterable[bytes], *, contents: bool = True) -> dict[bytes, Found]:
        return examine(self._use, self._target, paths, self._look_alive, contents=contents)

    def _look_alive(self) -> None:
        self._use.caller.progress(self._step)

    def _look(self, root: bytes, put: Tree, removed: Sequence[bytes]) -> None:
        """Find out what differs, and whether that may be overwritten. Raises SyncConflict."""
        touched = {*put, *removed}
        ways = {parent for path in touched for parent in push_job.parents(path)}
        found = self._examine(touched | ways)
        for path in sorted(ways - touched):
            if found[path].kind == "link":
                raise _link_on_the_way(path, self._place.target)
        here = {
            path: digest_of(root, path)
            for path, each in found.items()
            if each.kind == "file" and path in put and put[path].kind == "file"
        }
        ours = {path: self._known.versions(path) for path in touched}
        ways_blocked = {path: found[path] for path in ways - touched if found[path].kind not in ("", "directory")}
        looked_at = {**{path: found[path] for path in touched}, **ways_blocked}
        if differences := conflicts(looked_at, put, ours, here):
            raise SyncConflict(self._place.target, differences)
        self._found.update({path: found[path] for path in touched})

    def _plan(self, put: Mapping[bytes, Placed], removed: Iterable[bytes], tree: Tree) -> Push:
        return plan(put, removed, self._known.placed, self._found, tree, self._known.near)

    def _transfer(self, root: bytes, tree: Tree, put: Tree, removed: Sequence[bytes]) -> PushResult:
        parts = list(push_plan.batches(put))
        size = sum(entry.size for entry in put.values())
        is_first = self._opened.is_empty and not self._known.placed
        if not is_first and (len(parts) > 1 or size > CHECK_SIZE or len(put) > CHECK_COUNT):
            everything = self._plan({path: Placed(entry) for path, entry in put.items()}, removed, tree)
            self._check(everything)
        first = push_plan.in_the_way(put, removed) if len(parts) > 1 else []
        last = [path for path in removed if path not in set(first)]
        results = []
        for number, part in enumerate(parts):
            gone = [*(first if number == 0 else ()), *(last if number == len(parts) - 1 else ())]
            self._step = (
                f"copying {sum(map(len, parts[: number + 1])):,} of {len(put):,} files to `{self._place.target}`"
            )
            large = self._send_large(root, part)
            results.append(self._send(root, tree, _Batch(part, gone, large, number == len(parts) - 1)))
        return PushResult(
            sum(each.put for each in results),
            len(removed),
            sum(each.size for each in results),
            all(each.complete for each in results),
        )

    def _check(self, push: Push) -> None:
        """Have the target look whether all is as it is known. Raises _Differs, TargetChanged, RdoError."""
        serial = os.urandom(8).hex()
        archive = Archive(b"")
        text = push_job.check_job(push, stat=self._opened.stat)
        with self._started(serial, _archived(archive, serial, {"job": text})) as job:
            self._answer(job)

    def _send_large(self, root: bytes, entries: Tree) -> dict[bytes, Part]:
        """Send what is large among these by itself, or the rest of it. Raises as `_send`."""
        found: dict[bytes, Part] = {}
        for path, entry in sorted(entries.items()):
            if entry.kind == "file" and entry.size >= LARGE_SIZE:
                with contextlib.closing(LargeFile(root, path)) as file:
                    part = self._send_part(file, part_name(path, entry)) if file.is_there else None
                if part is not None:
                    found[path] = part
        return found

    def _send_part(self, file: LargeFile, name: str) -> Part | None:
        text = self._script(_PART, "parts", PART=name, HASH=HASH[self._opened.hash])
        with started(self._use, text, self._look_alive) as job:
            lines = self._checked(job)
            size, digest = answer(lines, b"!go")
            job.write(b"go\n" if file.skip(size, digest) else b"again\n")
            job.feed(self._counted(file))
            size, _ = answer(lines, b"")
            if size != file.sent:
                raise push_fault(b"part", self._place, job.reason())
        return file.part(name)

    def _counted(self, file: LargeFile) -> Iterator[bytes]:
        """What is still to be sent of a file, while the caller is shown how much has been."""
        step = self._step
        for piece in file.rest():
            self._step = f"{step} ({file.sent / file.size:.0%} of a large one)"
            yield piece
        self._step = step

    def _checked(self, job: ShellJob) -> Iterator[bytes]:
        """Lines, up to one that says that something is wrong. Raises TargetChanged, RdoError."""
        for line in job.lines():
            if line == b"!stale":
                raise TargetChanged
            if line.startswith((b"!fault", b"!locked")):
                raise push_fault(line[1:], self._place, job.reason())
            yield line

    def _send(self, root: bytes, tree: Tree, batch: _Batch) -> PushResult:
        """Put and remove these. Raises _Differs, TargetChanged, RdoError."""
        serial = os.urandom(8).hex()
        entries, removed = batch.put, batch.removed
        archive = Archive(root, {path: part.digest for path, part in batch.large.items()})
        sent: list[tuple[bytes, Placed]] = []
        stage = push_job.stage(serial).encode()
        replaces_log = self._known.log_is_long
        resolved = self._known.resolved
        kept = [(path, self._known.placed[path]) for path in resolved if path in self._known.placed]
        dropped = [path for path in resolved if path not in self._known.placed]

        def pieces() -> Iterator[bytes]:
            archive.directory(stage)
            yield from archive.tree(stage + b"/f/", entries)
            for path in sorted(entries):
                entry = entries[path]
                if entry.kind != "file" or path in archive.digests:
                    sent.append((path, Placed(entry, archive.digests.get(path, ""))))
            parts = {path: part.name for path, part in batch.large.items()}
            push = self._plan(dict(sent), removed, tree)._replace(parts=parts)
            texts = {
                "pending": manifest.intent(serial, sent, [*dropped, *removed], kept),
                "job": push_job.job(
                    push,
                    serial=serial,
                    stat=self._opened.stat,
                    replaces_log=replaces_log,
                    is_last=batch.is_last,
                ),
            }
            if replaces_log:
                texts["manifest"] = manifest.whole(self.serial, self._known.placed)
            yield from _archived(archive, serial, texts)

        with self._started(serial, pieces()) as job:
            tokens, existed = self._answer(job)
        try:
            recorded = list(manifest.recorded(sent, tokens, existed))
        except manifest.BadManifest as error:
            raise JobFailed(f"`{self._place.target}` did not say what has become of the files", str(error)) from None
        if replaces_log:
            self._known.replaced_log()
        if not self._is_apart:
            self._known.near.update(path.rpartition(b"/")[0] for path, _ in sent)
        self._known.record(recorded, removed)
        self.serial = serial
        size = archive.size + sum(part.size for part in batch.large.values())
        return PushResult(len(sent), len(removed), size, len(sent) == len(entries))

    def _started(self, serial: str, pieces: Iterable[bytes]) -> contextlib.AbstractContextManager[ShellJob]:
        return started(self._use, self._script(_PUSH, push_job.stage(serial)), self._look_alive, pieces)

    def _script(self, text: str, stage: str, **values: str) -> str:
        directory, identity = quote(self._place.directory), self._place.identity
        return fill(text, DIRECTORY=directory, IDENTITY=identity, STAGE=stage, SERIAL=self.serial, **values)

    def _answer(self, job: ShellJob) -> tuple[list[str], set[int]]:
        """The tokens of what was put, and which directories had been there."""
        tokens: list[str] = []
        existed: set[int] = set()
        for line in self._checked(job):
            kind, _, rest = line.partition(b"\t")
            if kind == b"t":
                tokens.append(rest.decode("ascii", "replace"))
            elif kind == b"apart":
                self._is_apart = True
            elif kind == b"h":
                existed.update(int(number) for number in rest.split() if number.isdigit())
            elif line in (b"!complete", b"!checked"):
                self.connection = job.connection
                return tokens, existed
            elif line == b"!differ":
                raise _Differs
        raise push_fault(b"", self._place, job.reason())


def _archived(archive: Archive, serial: str, texts: Mapping[str, bytes]) -> Iterator[bytes]:
    """The texts, and a file that says that all has come; then the end."""
    stage = push_job.stage(serial).encode()
    for name, text in texts.items():
        yield from archive.text(stage + b"/" + name.encode(), text)
    yield from archive.text(stage + b"/ready", b"")
    yield from archive.end()


def check_case(tree: Tree, target: str) -> None:
    """Raises RdoError for two names that the target would take for one."""
    seen: dict[str, bytes] = {}
    for path in sorted(tree):
        other = seen.setdefault(fsdecode(path).casefold(), path)
        if other != path:
            what = f"`{fsdecode(other)}` and `{fsdecode(path)}` cannot both be copied to `{target}`"
            raise RdoError(what, "its file system takes them for one name", "rename one, or add it to `exclude`")


def _link_on_the_way(path: bytes, target: str) -> RdoError:
    what = f"cannot copy files into `{fsdecode(path)}` on `{target}`"
    return RdoError(what, "it is a symbolic link there", "replace it by a directory there, or add it to `exclude`")


def push_fault(fault: bytes, place: Place, why: str) -> RdoError:
    """The error for what the target's shell says went wrong."""
    what = f"cannot copy files to `{place.directory}` on `{place.target}`"
    kind, _, detail = fsdecode(fault).partition(" ")
    if kind == "locked":
        why = f"another copy has been going on there for long, in process {detail or 'unknown'}"
        return RdoError(what, why, f"try again, or remove `{place.directory}/.rdo-sync/lock` there")
    if is_full(why):
        return RdoError(what, "no space is left on its disk", "free disk space there")
    return RdoError(what, why or "its shell ended early", "fix what is there, or use `rdo --no-sync`")


def is_full(why: str) -> bool:
    """Whether a program there complains of a disk, or a quota, that is used up."""
    return any(
        each in why.lower()
        for each in ("no space left", "quota exceeded", "disk full", "wrote only", "i/o error", "write error")
    )
