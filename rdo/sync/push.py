"""A push: finds out what differs, and transfers it to the target. See target_tree.py."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from rdo.errors import RdoError
from rdo.fscodec import fsdecode
from rdo.pool.shell_job import JobUse
from rdo.remote_sh.bootstrap import takes
from rdo.sync import push_plan
from rdo.sync.ancestors import all_ancestors, ancestors
from rdo.sync.archive import digest_of
from rdo.sync.conflict import MISSING, OUTDATED, Difference, SyncConflict, conflicts, is_as_put, is_ours, is_version
from rdo.sync.entry import Entry, Tree, changes
from rdo.sync.examine import Asking, Found, examine
from rdo.sync.git_index import is_index
from rdo.sync.known_files import KnownFiles
from rdo.sync.manifest import Placed
from rdo.sync.opened import Opened, TargetDirectory
from rdo.sync.push_fault import check_case, link_on_the_way
from rdo.sync.push_sender import Batch, PushResult, PushSender, TargetChanged, TargetDiffers
from rdo.sync.pushed_indexes import PushedIndexes
from rdo.sync.spelling import folded

TRIES = 3
"""Times to examine differences on the target, which may keep changing."""

CHECK_SIZE = 1024 * 1024
"""Bytes of files from which on it is worth a round trip to check first whether they may be put there."""

CHECK_COUNT = 200
"""The same as a number of files."""

NOTHING = Found("")
"""A path behind a link does not exist below that path."""


class Pusher:
    """A push of a tree."""

    def __init__(
        self,
        use: JobUse,
        place: TargetDirectory,
        opened: Opened,
        known: KnownFiles,
        serial: str,
        indexes: PushedIndexes,
    ) -> None:
        self._indexes = indexes
        self.sender = PushSender(use, place, opened, known, serial)
        self._use = use
        self._place = place
        self._opened = opened
        self._known = known
        self._over: Sequence[bytes] = ()
        """Paths that may be overwritten there, whatever is there."""
        self._asking = Asking(place.directory, opened.stat, opened.hash)

    def run(self, root: bytes, tree: Tree, over: Sequence[bytes]) -> PushResult:
        """Push. Raises SyncConflict, RdoError, LinkLost, CallerGone, TargetChanged."""
        self._resolve()
        put, removed = changes(self._known.entries, tree)
        put = dict(put)
        if over:
            self._over = over
            put, removed = self._overwritten(tree, put, removed)
        if self._opened.caseless:
            check_case(tree, self._place.target)
            self._respell(tree, put, removed)
        if self._opened.shell:
            self._check_names([*put, *removed])
        if not put and not removed and self._known.is_settled:
            return PushResult()
        for _ in range(TRIES):
            try:
                return self._transfer(root, tree, put, removed)
            except TargetDiffers:
                adopted = self._look(root, put, removed)
                put = {path: entry for path, entry in put.items() if path not in adopted}
        raise TargetChanged

    def _respell(self, tree: Tree, put: dict[bytes, Entry], removed: Sequence[bytes]) -> None:
        """Put a file again that exists there by another spelling, since removing that one removes both."""
        spellings = {folded(path): path for path in tree} if removed else {}
        for path in filter(None, (spellings.get(folded(each)) for each in removed)):
            put[path] = tree[path]
            self.sender.respelled.add(path)

    def lose_missing(self) -> None:
        """Find out which of the files that rdo has put there no longer exist. Raises RdoError, LinkLost, CallerGone."""
        self._resolve()
        found = self._examine(self._known.placed, contents=False)
        self._known.lose([path for path, each in found.items() if not each.kind])

    def differences(self, root: bytes, tree: Tree) -> list[Difference]:
        """How the target differs from the tree. Raises as `run`."""
        self._resolve()
        placed = self._known.placed
        found = self._examine(tree.keys() | placed.keys(), contents=False)
        odd = [path for path, each in found.items() if each.kind == "file" and not self._is_as_left(path, each)]
        found.update(self._examine(odd))
        here = {path: digest_of(root, path) for path in odd if path in tree and tree[path].kind == "file"}
        ours = {path: self._known.versions(path) for path in found}
        unequal = {each.path: each for each in self._real(conflicts(found, tree, ours, here), found, ours)}
        for path, each in found.items():
            entry = tree.get(path)
            if path in unequal or (entry is None and not each.kind):
                continue
            is_directory = entry is not None and each.kind == entry.kind == "directory"
            if not each.kind:
                unequal[path] = Difference(path, entry, MISSING)
            elif path not in placed and is_directory:
                continue  # created by others, and it remains theirs
            elif entry is not None and is_as_put(each, entry, here.get(path, "")):
                continue  # although rdo did not put it there
            elif path not in placed or not placed[path].entry.same(entry):
                unequal[path] = Difference(path, entry, OUTDATED)
        return sorted(unequal.values())

    def _is_as_left(self, path: bytes, found: Found) -> bool:
        placed = self._known.placed.get(path)
        return placed is not None and placed.token == found.token

    def _resolve(self) -> None:
        """Find out what was done by a push that was interrupted, or that the target has lost its record of."""
        if uncertain := self._known.uncertain:
            found = self._examine(uncertain, contents=False)
            versions = self._known.versions
            odd = [path for path, each in found.items() if each.kind == "file" and not is_ours(each, versions(path))]
            if odd:
                found.update(self._examine(odd))
            self._known.resolve(found, is_version)

    def _check_names(self, paths: Iterable[bytes]) -> None:
        """Raise RdoError for a path that the target's shell cannot handle."""
        if odd := next((path for path in paths if not takes(self._opened.shell, path)), None):
            what = f"cannot copy `{fsdecode(odd)}` to `{self._place.target}`"
            why = "/bin/sh there is yash, which accepts only characters of its locale"
            raise RdoError(what, why, "rename it, add it to `exclude`, or use another shell as /bin/sh there")

    def _overwritten(self, tree: Tree, put: Tree, removed: Sequence[bytes]) -> tuple[dict[bytes, Entry], list[bytes]]:
        """What to put and remove in order to overwrite some paths and everything below them; for the root, everything.
        Other changes are left for later, since they may be in conflict."""
        paths = (*tree, *removed)
        for each in filter(None, self._over):
            if not any(is_at_or_below(path, each) for path in paths):
                what = f"cannot take `{fsdecode(each)}` from here"
                raise RdoError(what, "there is no such file here that is pushed", "see `rdoctl sync diff`")
        covered = set(filter(self._is_overwritten, paths))
        parents = all_ancestors(covered)
        self.sender.found.update(self._examine(covered.union(filter(None, self._over))))
        taken = {path: entry for path, entry in put.items() if path in parents}
        taken.update((path, tree[path]) for path in covered if path in tree)
        return taken, [path for path in removed if path in covered]

    def _is_overwritten(self, path: bytes) -> bool:
        return any(is_at_or_below(path, each) for each in self._over)

    def _examine(self, paths: Iterable[bytes], *, contents: bool = True) -> dict[bytes, Found]:
        return examine(self._use, self._asking, paths, self.sender.look_alive, contents=contents)

    def _look(self, root: bytes, put: Tree, removed: Sequence[bytes]) -> set[bytes]:
        """Find out what differs and whether that may be overwritten, and return what is there already as it would be
        put.

        Raises SyncConflict.
        """
        touched = {*put, *removed}
        parents = all_ancestors(touched)
        found = self._examine(touched | parents)
        links = {path for path in parents if found[path].kind == "link"}
        found.update((path, NOTHING) for path in touched if not links.isdisjoint(ancestors(path)))
        found.update((path, NOTHING) for path in self.sender.respelled if path not in self._known.placed)
        for path in sorted(parents - touched):
            if found[path].kind == "link":
                raise link_on_the_way(path, self._place.target)
        here = {
            path: digest_of(root, path)
            for path, each in found.items()
            if each.kind == "file" and path in put and put[path].kind == "file"
        }
        ours = {path: self._known.versions(path) for path in touched}
        blocking = {path: found[path] for path in parents - touched if found[path].kind not in ("", "directory")}
        ours.update((path, self._known.versions(path)) for path in blocking)
        looked_at = {**{path: found[path] for path in touched}, **blocking}
        differing = [each for each in conflicts(looked_at, put, ours, here) if not self._is_overwritten(each.path)]
        if differences := self._real(differing, found, ours):
            raise SyncConflict(self._place.target, differences)
        self.sender.found.update({path: found[path] for path in touched})
        fixed = put.keys() - self.sender.respelled
        adopted = {path for path in fixed if is_as_put(found[path], put[path], here.get(path, ""))}
        for path in adopted:
            self._known.adopt(path, Placed(put[path], here.get(path, ""), found[path].token))
        return adopted

    def _real(
        self,
        differences: Iterable[Difference],
        found: Mapping[bytes, Found],
        ours: Mapping[bytes, Collection[Placed]],
    ) -> list[Difference]:
        """The differences, except for git indexes that git on the target has only refreshed."""
        refreshed = self._indexes.is_refreshed
        return [
            each
            for each in differences
            if not refreshed(self._use, each.path, found[each.path], ours.get(each.path, ()), each.here)
        ]

    def _transfer(self, root: bytes, tree: Tree, put: Tree, removed: Sequence[bytes]) -> PushResult:
        parts = list(push_plan.batches(put))
        size = sum(entry.size for entry in put.values())
        is_first = self._opened.is_empty and not self._known.placed
        if not is_first and (len(parts) > 1 or size > CHECK_SIZE or len(put) > CHECK_COUNT):
            everything = self.sender.plan({path: Placed(entry) for path, entry in put.items()}, removed, tree)
            self.sender.check(everything)
        first = push_plan.in_the_way(put, removed) if len(parts) > 1 else []
        if self.sender.respelled:
            first = list(removed)
        last = [path for path in removed if path not in set(first)]
        results = []
        for number, part in enumerate(parts):
            gone = [*(first if number == 0 else ()), *(last if number == len(parts) - 1 else ())]
            self.sender.step = (
                f"copying {sum(map(len, parts[: number + 1])):,} of {len(put):,} files to `{self._place.target}`"
            )
            large = self.sender.send_large(root, part)
            results.append(self.sender.send(root, tree, Batch(part, gone, large, number == len(parts) - 1)))
        placed = self._known.placed
        self._indexes.note([(path, placed[path]) for path in put if is_index(path) and path in placed])
        return PushResult(
            sum(each.put for each in results),
            len(removed),
            sum(each.size for each in results),
            all(each.complete for each in results),
        )


def is_at_or_below(path: bytes, top: bytes) -> bool:
    """Whether a path is the other one, or below that directory. The root is the empty path, and contains everything."""
    return not top or path == top or path.startswith(top + b"/")
