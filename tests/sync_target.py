"""Targets for tests of sync: a shell of any kind with the programs of a test's choice, and a project beside it.

The pool of such a target opens a fresh shell for each job, on this machine: what a real pool does is tested elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from rdo.drivers.base import Channel, ChannelOptions, Connection
from rdo.drivers.local.driver import LocalDriver
from rdo.errors import LinkLost
from rdo.fscodec import fsencode
from rdo.pool.shell_pool import ShellPool
from rdo.remote_sh.script import Script
from rdo.sync.entry import Entry, Tree
from rdo.sync.project_state import ProjectState
from rdo.sync.pull import PullResult
from rdo.sync.push_sender import PushResult
from rdo.sync.shell_job import JobUse
from rdo.sync.target_tree import TargetTree
from tests.connecting import connected
from tests.ssh_client import ScriptedCaller
from tests.unit.remote_sh.shells import SHELLS

TOOLS = (
    "cat", "chmod", "dd", "env", "find", "ls", "mkdir", "mv", "readlink", "rm", "rmdir", "sh", "sha256sum", "sleep",
    "stat", "tar", "touch", "wc",
)  # fmt: skip
"""What the scripts call, and `sh`."""


def tree_of(root: Path) -> Tree:
    """What there is below a directory, but for what rdo keeps there."""
    found: dict[bytes, Entry] = {}
    top = os.fsencode(root)
    for directory, directories, files in os.walk(top):
        if directory == top and b".rdo-sync" in directories:
            directories.remove(b".rdo-sync")
        for name in directories + files:
            path = os.path.join(directory, name)
            info = os.lstat(path)
            found[os.path.relpath(path, top)] = entry_of(path, info)
    return found


def entry_of(path: bytes, info: os.stat_result) -> Entry:
    if stat.S_ISLNK(info.st_mode):
        return Entry("link", link=os.readlink(path))
    mode = stat.S_IMODE(info.st_mode)
    if stat.S_ISDIR(info.st_mode):
        return Entry("directory", mode)
    return Entry("file", mode, info.st_size, info.st_mtime_ns)


def contents(root: Path) -> dict[bytes, object]:
    """The same with what is in the files."""
    top = os.fsencode(root)
    found: dict[bytes, object] = {}
    for path, entry in tree_of(root).items():
        place = os.path.join(top, path)
        is_file = stat.S_ISREG(os.lstat(place).st_mode)
        found[path] = (entry, Path(os.fsdecode(place)).read_bytes()) if is_file else entry
    return found


def texts(root: Path) -> dict[bytes, bytes]:
    """The content of the files below a directory."""
    return {path: Path(os.fsdecode(os.path.join(os.fsencode(root), path))).read_bytes()
            for path, entry in tree_of(root).items() if entry.kind == "file"}  # fmt: skip


class OneShell:
    """A pool of one connection, each of whose shells is the one that a test wants, with its PATH."""

    def __init__(self, shell: str = "dash", path: str = "") -> None:
        self.words = SHELLS[shell]
        self.path = path or os.environ["PATH"]
        self.channel: Callable[[Channel], Channel] = lambda channel: channel
        """What a test puts around each channel."""
        self.jobs = 0
        self.connections = [SimpleNamespace(keepalive=SimpleNamespace(ended=False))]
        self._connection: Connection = connected(LocalDriver("/", None), ScriptedCaller())

    @contextlib.contextmanager
    def lease(self, caller: object, opening: object) -> Iterator[Any]:
        """See ShellPool."""
        opened: list[Channel] = []
        lease = SimpleNamespace(connection=self.connections[0], shell=SimpleNamespace(channel=None))

        self.jobs += 1
        shell, *options = self.words.split()
        program = shutil.which(shell)
        assert program, f"{shell} is not installed"
        words = [program, *options]
        channel = _Late(opened)

        def start(script: Script) -> None:
            quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in [*words, *script.command[1:]])
            command = f"export PATH='{self.path}'; exec {quoted}"
            opened.append(self.channel(self._connection.open_channel(command, None)))

        lease.shell.channel = channel
        lease.shell.start = start
        try:
            yield lease
        finally:
            for each in opened:
                each.close()
                with contextlib.suppress(LinkLost):
                    each.exit_status()  # a child of ours is to be gone

    def close(self) -> None:
        self._connection.close()


class _Late:
    """A channel that is opened once its script is known."""

    def __init__(self, opened: list[Channel]) -> None:
        self._opened = opened

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened[0], name)


class CutChannel:
    """A channel over a connection that breaks after so many bytes have gone out, or come in."""

    def __init__(self, channel: Channel, out: int | None = None, back: int | None = None) -> None:
        self._channel = channel
        self._out = out
        self._back = back
        self._cut = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    def write(self, data: bytes) -> None:
        if self._out is not None:
            self._channel.write(data[: self._out])
            self._out -= len(data)
            if self._out <= 0:
                self._break()
        else:
            self._channel.write(data)

    def read(self, timeout: float | None = None) -> object:
        if self._cut or (self._back is not None and self._back <= 0):
            self._break()
        chunk = self._channel.read(timeout)
        if chunk is not None and self._back is not None:
            self._back -= len(chunk.data)
        return chunk

    def _break(self) -> None:
        self._cut = True
        self._channel.close()
        raise LinkLost("the connection to `here` is lost", "the test cut it")


class Side:
    """A project here, and its directory on a target."""

    def __init__(self, base: Path, pool: OneShell | ShellPool, there: Path | None = None, remote: str = "") -> None:
        self.here = base / "here"
        self.there = there or base / "there"
        self.here.mkdir(exist_ok=True)
        self.caller = ScriptedCaller()
        self.pool = pool
        self.use = JobUse(cast(ShellPool, pool), self.caller, ChannelOptions)
        self._base = base
        self._remote = remote or str(self.there)
        self.tree = self.fresh()

    def fresh(self, state: str = "state") -> TargetTree:
        """What a control master knows that was just started; `state`: that of another machine."""
        environment = {"XDG_STATE_HOME": str(self._base / state)}
        known = ProjectState(environment, fsencode(str(self.here)), "here", self._remote)
        self.tree = TargetTree(known, self._remote, "here")
        return self.tree

    def push(self, **more: Any) -> PushResult:
        return self.tree.push(self.use, os.fsencode(self.here), tree_of(self.here), **more)

    def pull(self, *patterns: bytes) -> PullResult:
        return self.tree.pull(self.use, os.fsencode(self.here), Below(patterns))

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Files here; an empty name of a directory ends with a slash."""
        write(self.here, files)

    @property
    def is_same(self) -> bool:
        """Whether both sides have the same."""
        return contents(self.here) == contents(self.there)

    @property
    def left(self) -> list[str]:
        """What rdo keeps there, but for what it should."""
        state = self.there / ".rdo-sync"
        found = {str(path.relative_to(state)).partition("/")[2] or path.name for path in state.rglob("*")}
        return sorted(each for each in found if each not in (".gitignore", "manifest", "serial", "pulls")
                      and not (state / each / "manifest").exists())  # fmt: skip


class Below:
    """Patterns that are directories, or files."""

    def __init__(self, prefixes: Sequence[bytes]) -> None:
        self.prefixes = prefixes

    def matches(self, path: bytes) -> bool:
        return any(path == each or path.startswith(each + b"/") for each in self.prefixes)


def write(root: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files, and make the directories that end with a slash."""
    for name, content in files.items():
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def tools(directory: Path, *, without: Sequence[str] = (), busybox: bool = False) -> str:
    """A PATH with what the scripts call, and nothing else."""
    directory.mkdir()
    program = shutil.which("busybox") if busybox else None
    for name in TOOLS:
        found = program or shutil.which(name)
        if name not in without and found:
            (directory / name).symlink_to(found)
    return str(directory)


KILLER = """#!/bin/sh
count=$(cat {counter})
echo $((count + 1)) >{counter}
[ "$count" -ne {number} ] || [ {after} -eq 1 ] || {{ kill -9 $PPID; exit 1; }}
{program} "$@"
status=$?
[ "$count" -ne {number} ] || {{ kill -9 $PPID; exit 1; }}
exit $status
"""
"""A program that ends the shell that calls it, before or after it has done its work, at one call of all."""


def deadly_tools(directory: Path, number: int, *, after: bool) -> str:
    """A PATH of programs of which the one that is called as number so-and-so ends its caller."""
    path = tools(directory)
    counter = directory / "counter"
    counter.write_text("0\n")
    for name in TOOLS:
        found = shutil.which(name)
        if found and name not in ("sh", "cat"):
            (directory / name).unlink()
            (directory / name).write_text(
                KILLER.format(counter=counter, number=number, after=int(after), program=found)
            )
            (directory / name).chmod(0o755)
    return path


def calls(directory: Path) -> int:
    """How many programs were called."""
    return int((directory / "counter").read_text())
