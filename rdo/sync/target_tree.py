"""A project's files in a directory of a target: pushed there before a command, and pulled from there after it."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from rdo.errors import RdoError
from rdo.pool.shell_job import JobFailed, JobUse, started
from rdo.remote_sh.script import Copied
from rdo.remote_sh.template import fill, load, quote
from rdo.sync.conflict import Difference, SyncConflict
from rdo.sync.entry import Tree
from rdo.sync.known_files import KnownFiles
from rdo.sync.manifest import Manifest
from rdo.sync.opened import Opened, TargetDirectory, open_directory
from rdo.sync.project_state import ProjectState
from rdo.sync.pull import Puller
from rdo.sync.pulling import PullPatterns, PullResult
from rdo.sync.push import Pusher
from rdo.sync.push_sender import PushResult, TargetChanged
from rdo.sync.pushed_indexes import PushedIndexes

NOTHING = Manifest({}, {}, "", 0)

_RELEASE = load("sync_release")

TRIES = 4
"""Times to start a push again because the target has changed meanwhile."""


class TargetTree:
    """The files of this machine's project in one directory of one target. Not thread-safe.

    Whatever fails or is interrupted, each path there is in either its old or its new version, and the next push
    continues from there.
    """

    def __init__(self, state: ProjectState, directory: str, target: str) -> None:
        """`directory` is absolute, and is created if missing. `target` is the name for messages."""
        self._state = state
        self._directory = directory
        self._target = target
        self._opened: Opened | None = None
        self._known: KnownFiles | None = None
        self._serial = ""
        self._record = ""
        """The directory on the target that has this machine's record."""
        self._puller: Puller | None = None
        self._last: Tree | None = None
        """The complete tree that was pushed last."""
        self.others = False
        """Whether another machine or project has files there; known after a push."""
        self.first = False
        """Whether rdo had put nothing there when it last looked."""

    def is_current(self, use: JobUse, tree: Tree) -> bool:
        """Whether the tree is the one that was pushed last, over a connection that is still open. Does not ask the
        target."""
        return tree is self._last and self._is_connected(use)

    def forget(self) -> None:
        """Examine the target again at the next push."""
        self._opened = self._last = None

    def push(self, use: JobUse, root: bytes, tree: Tree, *, over: Collection[bytes] = ()) -> PushResult:
        """Make the target's files match the tree, which is that of the directory `root`.

        What is at the paths in `over` is overwritten. Raises SyncConflict, without changing anything, if anything else
        is not as rdo left it. Raises RdoError, LinkLost, CallerGone.
        """
        if not over and self.is_current(use, tree):
            return PushResult()
        try:
            for _ in range(TRIES):
                try:
                    return self._push(use, root, tree, sorted(over))
                except TargetChanged:
                    self.forget()
        except BaseException as error:
            if not isinstance(error, SyncConflict):
                self.forget()
            raise
        hint = "stop what changes them, and try again"
        raise RdoError(f"cannot copy files to `{self._target}`", "they keep changing there", hint)

    def _push(self, use: JobUse, root: bytes, tree: Tree, over: list[bytes]) -> PushResult:
        place = TargetDirectory(self._directory, self._target, self._state.identity)
        self._record = f"{self._directory}/.rdo-sync/{place.identity}"
        opened, known = self._open(use, place)
        pusher = Pusher(use, place, opened, known, self._serial, PushedIndexes(self._state, place, root))
        result = pusher.run(root, tree, over)
        self._serial = pusher.sender.serial
        self._opened = opened._replace(connection=pusher.sender.connection)
        self._last = tree if result.complete and not over else None
        return result

    @property
    def copied(self) -> Copied | None:
        """What lets a command's shell check that the last push is still intact; None if there was none.

        Thread-safe. If another push changes the files meanwhile, they count as lost, and are examined again.
        """
        return Copied(self._record, self._serial) if self._serial else None

    def release(self, use: JobUse, nonce: str) -> None:
        """Let a command continue whose shell waits for a push. Raises RdoError, LinkLost, CallerGone."""
        text = fill(_RELEASE, STATE=quote(self._record), NONCE=nonce)
        with started(use, text, lambda: use.caller.progress("starting the command")) as job:
            if list(job.lines()) != [b"!done"]:
                raise JobFailed(f"cannot write to `{self._record}` on `{self._target}`", job.reason())

    def _open(self, use: JobUse, place: TargetDirectory) -> tuple[Opened, KnownFiles]:
        """What the target has; asked once per connection."""
        if self._opened is None or self._known is None or not self._is_connected(use):
            known = self._serial if self._known is not None else ""
            self._opened = open_directory(use, place, known, lambda: use.caller.progress(f"asking `{self._target}`"))
            if self._opened.manifest is not None or self._known is None:
                former = self._known.placed if self._known and not self._opened.is_empty else {}
                self._known = KnownFiles(self._opened.manifest or NOTHING, former)
            self._serial = self._opened.serial
            self.others = self._opened.others
            self.first = not self._known.placed
        return self._opened, self._known

    def _is_connected(self, use: JobUse) -> bool:
        connection = self._opened.connection if self._opened else None
        return (
            connection is not None
            and not connection.keepalive.ended
            and any(connection is each for each in use.shells.connections)
        )

    def pull(self, use: JobUse, root: bytes, patterns: PullPatterns) -> PullResult:
        """Copy what the patterns match on the target to the directory `root`. Raises RdoError, LinkLost, CallerGone.

        Local files that are not as they were pulled are left alone, and named in the result.
        """
        return self._pull(use, root, patterns, ())

    def _pull(self, use: JobUse, root: bytes, patterns: PullPatterns, over: Collection[bytes]) -> PullResult:
        place = TargetDirectory(self._directory, self._target, self._state.identity)
        opened, _ = self._open(use, place)
        self._puller = self._puller or Puller(self._state, place)
        return self._puller.run(use, opened, root, patterns, over)

    def take_there(self, use: JobUse, root: bytes, paths: Collection[bytes]) -> PullResult:
        """Copy these files, and everything below these directories, from the target over what is here.

        Raises as `pull`.
        """
        return self._pull(use, root, _Paths(tuple(paths)), paths)

    def differences(self, use: JobUse, root: bytes, tree: Tree) -> list[Difference]:
        """How the target differs from the tree of `root`. Raises as `push`."""
        return self._pusher(use, root).differences(root, tree)

    def lose_missing(self, use: JobUse, root: bytes) -> None:
        """Have the next push also put what was removed on the target. Raises RdoError, LinkLost, CallerGone."""
        self.forget()
        self._pusher(use, root).lose_missing()

    def _pusher(self, use: JobUse, root: bytes) -> Pusher:
        place = TargetDirectory(self._directory, self._target, self._state.identity)
        opened, known = self._open(use, place)
        return Pusher(use, place, opened, known, self._serial, PushedIndexes(self._state, place, root))


class _Paths(NamedTuple):
    """Patterns that are plain paths."""

    prefixes: tuple[bytes, ...]

    def matches(self, path: bytes) -> bool:
        return any(path == each or path.startswith(each + b"/") for each in self.prefixes)
