"""Sends the parts of a push to the target, and reads its answers. See push.py."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rdo.pool.shell_job import JobFailed, JobUse, ShellJob, started
from rdo.remote_sh.template import fill, load, quote
from rdo.sync import manifest, push_job, push_plan
from rdo.sync.archive import Archive
from rdo.sync.entry import Tree
from rdo.sync.examine import HASH, Found
from rdo.sync.known_files import KnownFiles
from rdo.sync.large_file import LARGE_SIZE, LargeFile, Part, answer, part_name
from rdo.sync.manifest import Placed
from rdo.sync.opened import Opened, TargetDirectory
from rdo.sync.push_fault import push_fault
from rdo.sync.push_job import Push

_LOCK = load("sync_lock")
_PUSH, _PART = load("sync_push", TAKE_LOCK=_LOCK), load("sync_part", TAKE_LOCK=_LOCK)


class PushResult(NamedTuple):
    """The result of a push."""

    put: int = 0
    removed: int = 0
    size: int = 0
    """Bytes of files."""
    complete: bool = True
    """Whether everything was as in the tree; otherwise files have changed or vanished here meanwhile."""


class TargetChanged(Exception):
    """The target is not in the state that was known, and must be examined."""


class TargetDiffers(Exception):
    """Files that the push would touch are not as rdo left them; nothing was done."""


class Batch(NamedTuple):
    """What is put and removed at a time."""

    put: Tree
    removed: Sequence[bytes]
    large: Mapping[bytes, Part]
    """Files that were sent before."""
    is_last: bool


class _Sent:
    """What was sent of a batch, in order. It is noted while the target is busy."""

    def __init__(self) -> None:
        self.placed: list[tuple[bytes, Placed]] = []
        self.lines: list[bytes] = []
        """The line of the intent for each entry."""

    def note(self, entries: Tree, digests: Mapping[bytes, str]) -> None:
        """Note that these entries were sent, except for files without a digest."""
        for path, entry in entries.items():
            if entry.kind != "file" or path in digests:
                placed = Placed(entry, digests.get(path, ""))
                self.placed.append((path, placed))
                self.lines.append(manifest.line(path, placed))


class PushSender:
    """Sends the parts of one push."""

    def __init__(self, use: JobUse, place: TargetDirectory, opened: Opened, known: KnownFiles, serial: str) -> None:
        self.serial = serial
        """The serial of the target's last push."""
        self.connection = opened.connection
        self.step = f"looking at the files on `{place.target}`"
        """The step that is shown to the caller."""
        self.respelled: set[bytes] = set()
        """Paths that exist there by another spelling, which is removed, on a file system that ignores case."""
        self.found: dict[bytes, Found] = {}
        """What is there other than expected, and may be overwritten."""
        self._use = use
        self._place = place
        self._opened = opened
        self._known = known
        self._is_apart = False
        """Whether a directory there is known to be on another file system than others."""

    def look_alive(self) -> None:
        """Show the step to the caller. Raises CallerGone."""
        self._use.caller.progress(self.step)

    def plan(self, put: Mapping[bytes, Placed], removed: Iterable[bytes], tree: Tree) -> Push:
        """What the target has to do, and to check before."""
        respelled = self.respelled.intersection(put)
        return push_plan.plan(put, removed, self._known.placed, self.found, tree, self._known.near, respelled)

    def check(self, push: Push) -> None:
        """Have the target check that everything is as it is known. Raises TargetDiffers, TargetChanged, RdoError."""
        serial = os.urandom(8).hex()
        archive = Archive(b"")
        text = push_job.check_job(push, stat=self._opened.stat)
        with self._started(serial, _archived(archive, serial, {"job": text})) as job:
            self._answer(job)

    def send_large(self, root: bytes, entries: Tree) -> dict[bytes, Part]:
        """Send the large files among these on their own, or the rest of them. Raises as `send`."""
        found: dict[bytes, Part] = {}
        for path, entry in entries.items():
            if entry.size >= LARGE_SIZE:
                with contextlib.closing(LargeFile(root, path)) as file:
                    part = self._send_part(file, part_name(path, entry)) if file.is_there else None
                if part is not None:
                    found[path] = part
        return found

    def _send_part(self, file: LargeFile, name: str) -> Part | None:
        text = self._script(_PART, "parts", PART=name, HASH=HASH[self._opened.hash])
        with started(self._use, text, self.look_alive) as job:
            lines = self._checked(job)
            size, digest = answer(lines, b"!go")
            job.write(b"go\n" if file.skip(size, digest) else b"again\n")
            job.feed(self._counted(file))
            size, _ = answer(lines, b"")
            if size != file.sent:
                raise push_fault(b"part", self._place, job.reason())
        return file.part(name)

    def _counted(self, file: LargeFile) -> Iterator[bytes]:
        """The rest of a file, while the caller is shown how much has been sent."""
        step = self.step
        for piece in file.rest():
            self.step = f"{step} ({file.sent / file.size:.0%} of a large one)"
            yield piece
        self.step = step

    def _checked(self, job: ShellJob) -> Iterator[bytes]:
        """The lines, up to one that reports a fault. Raises TargetChanged, RdoError."""
        for line in job.lines():
            if line == b"!stale":
                raise TargetChanged
            if line.startswith((b"!fault", b"!locked")):
                raise push_fault(line[1:], self._place, job.reason())
            yield line

    def send(self, root: bytes, tree: Tree, batch: Batch) -> PushResult:
        """Put and remove these. Raises TargetDiffers, TargetChanged, RdoError."""
        serial = os.urandom(8).hex()
        archive = Archive(root, {path: part.digest for path, part in batch.large.items()})
        sent = _Sent()
        replaces_log = self._known.log_is_long

        def pieces() -> Iterator[bytes]:
            stage = push_job.stage(serial).encode()
            archive.directory(stage)
            for portion in push_plan.portions(batch.put):
                yield from archive.tree(stage + b"/f/", portion)
                sent.note(portion, archive.digests)
            yield from _archived(archive, serial, self._orders(serial, sent, tree, batch))

        with self._started(serial, pieces()) as job:
            tokens, existed = self._answer(job)
        try:
            recorded = list(manifest.recorded(sent.placed, tokens, existed, self._known.placed))
        except manifest.BadManifest as error:
            raise JobFailed(f"`{self._place.target}` did not report what happened to the files", str(error)) from None
        if replaces_log:
            self._known.replaced_log()
        if not self._is_apart:
            self._known.near.update(path.rpartition(b"/")[0] for path, _ in sent.placed)
        self._known.record(recorded, batch.removed)
        self.serial = serial
        size = archive.size + sum(part.size for part in batch.large.values())
        count = len(sent.placed)
        return PushResult(count, len(batch.removed), size, count == len(batch.put))

    def _orders(self, serial: str, sent: _Sent, tree: Tree, batch: Batch) -> Mapping[str, bytes]:
        """The files for the target, by name: what it has to do with what was sent, and what it records before."""
        placed, resolved = self._known.placed, self._known.resolved
        kept = [(path, placed[path]) for path in resolved if path in placed]
        dropped = [path for path in resolved if path not in placed]
        replaces_log = self._known.log_is_long
        parts = {path: part.name for path, part in batch.large.items()}
        push = self.plan(dict(sent.placed), batch.removed, tree)._replace(parts=parts)
        intent = manifest.intent(serial, (), [*dropped, *batch.removed], kept) + b"".join(sent.lines)
        ends = {"replaces_log": replaces_log, "is_last": batch.is_last}
        job = push_job.job(push, serial=serial, stat=self._opened.stat, intent=intent, **ends)
        texts = {"pending": intent, "job": job}
        return {**texts, "manifest": manifest.whole(self.serial, placed)} if replaces_log else texts

    def _started(self, serial: str, pieces: Iterable[bytes]) -> contextlib.AbstractContextManager[ShellJob]:
        return started(self._use, self._script(_PUSH, push_job.stage(serial)), self.look_alive, pieces)

    def _script(self, text: str, stage: str, **values: str) -> str:
        directory, identity = quote(self._place.directory), self._place.identity
        return fill(text, DIRECTORY=directory, IDENTITY=identity, STAGE=stage, SERIAL=self.serial, **values)

    def _answer(self, job: ShellJob) -> tuple[list[str], set[int]]:
        """The tokens of what was put, and which directories existed before."""
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
                raise TargetDiffers
        raise push_fault(b"", self._place, job.reason())


def _archived(archive: Archive, serial: str, texts: Mapping[str, bytes]) -> Iterator[bytes]:
    """Add the texts, a file that marks everything as complete, and the end."""
    stage = push_job.stage(serial).encode()
    for name, text in texts.items():
        yield from archive.text(stage + b"/" + name.encode(), text)
    yield from archive.text(stage + b"/ready", b"")
    yield from archive.end()
