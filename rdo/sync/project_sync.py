"""Keeps a project's files here and in a directory of a target the same: before a command starts, and after it has
ended."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from rdo.config import worktree
from rdo.drivers.caller import Caller
from rdo.errors import LinkLost, RdoError
from rdo.fscodec import fsdecode, fsencode
from rdo.pool.shell_job import JobUse
from rdo.remote_sh.script import Copied
from rdo.sync.conflict import Difference, named
from rdo.sync.entry import Tree
from rdo.sync.local_tree import LocalTree
from rdo.sync.patterns import Patterns
from rdo.sync.project_state import ProjectState
from rdo.sync.pulling import PullResult
from rdo.sync.receive import Refused
from rdo.sync.rules import SyncRules
from rdo.sync.shared_flight import SharedFlight
from rdo.sync.target_tree import TargetTree
from rdo.util import log


class SyncPlace(NamedTuple):
    """Which files are synchronised, and where to. Commands for which this is equal share a ProjectSync."""

    root: str
    directory: str
    """The absolute path on the target."""
    target: str
    """The target's name for messages."""
    rules: SyncRules


class ProjectSync:
    """The synchronisation of one project. Thread-safe. Commands that arrive together share one look at the files, and
    one transfer."""

    def __init__(self, place: SyncPlace, state: ProjectState) -> None:
        self.place = place
        self._root = fsencode(place.root)
        self._local = LocalTree(place.root, place.rules, self._report)
        self._target = TargetTree(state, place.directory, place.target)
        self._patterns = Patterns(place.rules.pull)
        self._pushing, self._pulling = SharedFlight(), SharedFlight()
        self._turn = threading.Lock()
        """Guards the target's side, so that there is one transfer at a time; held during a transfer."""
        self._caller: Caller | None = None
        """The caller of the current push."""
        self._has_settled = False
        self._has_reported_others = False
        self._refused: set[bytes] = set()
        """Paths on the target that were already reported as not pulled."""
        self.pulled = PullResult()

    def _report(self, line: str) -> None:
        """Report to whoever waits for the push, or else to the log."""
        log.event(line)
        if self._caller is not None:
            self._caller.report(f"rdo: {line}")

    def push(self, use: JobUse) -> None:
        """Push everything that was written here before the call. Raises SyncConflict, RdoError, CallerGone."""
        with self._explained("cannot copy files to", "no command was started; try again: that resumes the copy"):
            self._push_shared(use)

    def _push_shared(self, use: JobUse) -> None:
        self._pushing.run(lambda: self._push(use, ()), lambda: use.caller.progress("waiting for files to be copied"))

    @contextlib.contextmanager
    def _explained(self, what: str, hint: str) -> Iterator[None]:
        """Explain what is left undone if the connection is lost in this block. Raises LinkLost."""
        try:
            yield
        except LinkLost as error:
            why = f"the connection was lost ({error.why or error.what})"
            raise LinkLost(f"{what} `{self.place.target}`", why, hint) from None

    def settle(self, caller: Caller) -> Tree:
        """The local files. Raises RdoError."""
        self._caller = caller
        if not self._has_settled:
            caller.progress("looking at the files here")
        try:
            tree = self._local.settle(caller.environment)
            if not self._has_settled and self.place.rules.sync_git:
                self._report_git(caller)
            self._has_settled = True
            return tree
        finally:
            self._caller = None

    def _report_git(self, caller: Caller) -> None:
        """Report that the repository of a worktree is elsewhere."""
        repository = worktree.git_directory(self.place.root)
        if repository and not repository.startswith(self.place.root + "/"):
            where = f"`{self.place.directory}` on `{self.place.target}`"
            caller.report(f"rdo: git does not work in {where}: `sync_git` does not copy `{repository}`")

    def _push(self, use: JobUse, over: Collection[bytes]) -> None:
        tree = self.settle(use.caller)
        if not over and self._target.is_current(use, tree):
            return
        try:
            with self._turn:
                result = self._target.push(use, self._root, tree, over=over)
        finally:
            self._report_others(use.caller)
        if result.put or result.removed:
            use.caller.trace(f"copied {result.put:,} files ({result.size:,} bytes) to `{self.place.target}`")

    def _report_others(self, caller: Caller) -> None:
        if self._target.others and not self._has_reported_others:
            self._has_reported_others = True
            where = f"`{self.place.directory}` on `{self.place.target}`"
            hint = "if it is this one from before it was copied, type `rdoctl sync take here .`"
            others = f"rdo: another machine or project also copies files to {where}"
            caller.report(f"{others}; its files are left alone; {hint}")

    def pull(self, use: JobUse) -> PullResult:
        """Pull what commands that have ended have changed on the target. Raises RdoError, CallerGone."""
        if not self.place.rules.pull:
            return PullResult()
        with self._explained("cannot copy files from", "`rdo --sync-only` resumes the copy"):
            self._pulling.run(lambda: self._pull(use), lambda: use.caller.progress("waiting for files to be copied"))
        return self.pulled

    def _pull(self, use: JobUse) -> None:
        with self._turn:
            self.pulled = self._target.pull(use, self._root, self._patterns)
        if self.pulled.pulled or self.pulled.removed:
            count, size = self.pulled.pulled, self.pulled.size
            use.caller.trace(f"copied {count:,} files ({size:,} bytes) from `{self.place.target}`")
        self._report_refused([each for each in self.pulled.refused if each.path not in self._refused], use.caller)

    def _report_refused(self, refused: Sequence[Refused], caller: Caller) -> None:
        """Report what was not pulled."""
        by_reason: dict[str, list[bytes]] = {}
        for path, why in refused:
            by_reason.setdefault(why, []).append(path)
        for why, paths in by_reason.items():
            self._refused.update(paths)
            caller.report(f"rdo: did not copy {named(paths)} from `{self.place.target}`: {why}")

    def differences(self, use: JobUse) -> Sequence[Difference]:
        """What differs between the two sides. Raises RdoError."""
        tree = self.settle(use.caller)
        with self._turn, self._explained("cannot compare files with", "try again"):
            return self._target.differences(use, self._root, tree)

    def take_here(self, use: JobUse, paths: Collection[bytes]) -> None:
        """Push these files, overwriting whatever is there. Raises RdoError."""
        for path in filter(None, paths):
            if self._patterns.matches(path, directory=True) or self._patterns.covers_below(path):
                what = f"cannot take `{fsdecode(path)}` from here"
                why = "`pull` names it, so that it belongs to the target"
                raise RdoError(what, why, f"`rdoctl sync take there {fsdecode(path)}` gets the version there")
        with self._explained("cannot copy files to", "try again"):
            self._push(use, paths)

    def take_there(self, use: JobUse, paths: Collection[bytes]) -> PullResult:
        """Pull these files, overwriting whatever is here. Raises RdoError."""
        with self._turn, self._explained("cannot copy files from", "try again"):
            taken = self._target.take_there(use, self._root, paths)
        self._report_refused(taken.refused, use.caller)
        return taken

    def lose_missing(self, use: JobUse) -> None:
        """Have the next push copy files again that were removed on the target. Raises RdoError."""
        with self._turn, self._explained("cannot compare files with", "try again"):
            self._target.lose_missing(use, self._root)

    def forget(self) -> None:
        """Examine the target again before the next command."""
        with self._turn:
            self._target.forget()

    @property
    def copied(self) -> Copied | None:
        """What lets the target check that everything is still there; None if nothing was copied."""
        return self._target.copied

    def restore(self, use: JobUse, nonce: str) -> None:
        """Push again, since the target has lost the files, and let the waiting command continue. Raises as `push`."""
        self.forget()
        self._push_shared(use)
        with self._turn:
            self._target.release(use, nonce)

    def drain(self) -> None:
        """Read pending reports of local changes, so that the kernel's queue does not overflow. Never waits."""
        self._local.drain()

    def close(self) -> None:
        """Stop watching."""
        self._local.close()
