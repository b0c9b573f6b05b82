"""Finds processes, threads and file descriptors that a test has left behind; none are permitted.

A process belongs to the tests if it descends from this one or from a registered server, or if its environment contains
the run's mark: in RDO_TEST_ID or, for a control master, in the name of its runtime directory. A control master has left
its parent, and keeps hardly anything of a caller's environment. Without /proc, as on macOS, environments cannot be read
without privileges, so only descent counts.
"""

from __future__ import annotations

import contextlib
import gc
import os
import re
import signal
import stat
import threading
import time
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.processes import PROC, Process, listed_processes, process_numbers, read, wait_for_ends

SETTLE = 15.0
"""Seconds for what a test has asked to end: a master, a server's session, a thread in its last line."""

TICK = 0.01
LONGEST_TICK = 0.05
"""Seconds between two checks, at first and later. Nothing reports the end of a process that is not a child."""

LOOK_INTERVAL = 0.25
"""Seconds after which processes that have not ended are examined again: a new one may turn out to be a shell of a
master that stays.
"""

MARK = "RDO_TEST_ID"

CLEARING = re.compile(r"/containerd-shim-\S+ .* delete$")
"""Matches the process with which an engine clears a container away, which outlives the container for a while."""


T = TypeVar("T")


@dataclass(frozen=True)
class Snapshot:
    """What exists at one moment."""

    processes: frozenset[int] | None
    """All processes of this machine, of any user. None if this process has no child, and the others were not examined.
    """
    threads: frozenset[threading.Thread]
    files: frozenset[tuple[int, str]]


@dataclass
class Leaks:
    """Compares what exists before and after a test. The marks of all tests of this run begin with `run`."""

    run: str
    settle: float = SETTLE
    _servers: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def register_server(self, pid: int, *stays: str) -> None:
        """Watch a server's descendants as well: what rdo has started on the target.

        A new one whose command line contains one of `stays` is not a leak: the idle shells of a master that outlives a
        test. The server should also set RDO_TEST_ID for its sessions (sshd's SetEnv), so that processes that have left
        them are found, too.
        """
        self._servers[pid] = stays

    def snapshot(self, *, quick: bool = False) -> Snapshot:
        """Record what exists now. With `quick`, of processes only whether this one has children."""
        processes = None if quick and not has_children() else frozenset(process_numbers())
        return Snapshot(processes, frozenset(threading.enumerate()), open_files())

    def processes(self, before: Set[int] = frozenset(), mark: str = "") -> dict[int, Process]:
        """Processes of the tests by number, without this one and those that existed before; with a mark, only those
        that have exactly that mark.
        """
        table = listed_processes(before)
        directory = root_of(mark) / "run" if mark else root_of(self.run)
        wanted = [os.fsencode(each) for each in (f"{MARK}={mark or self.run}", f"XDG_RUNTIME_DIR={directory}")]
        found = {pid for pid in table.keys() - before if carries(pid, wanted, exact=bool(mark))}
        if not mark:
            found |= self._descendants(table, {os.getpid(), *self._servers})
            for server, stays in self._servers.items():
                found -= {pid for pid in self._descendants(table, {server}) if holds(table[pid].command, stays)}
        found -= {os.getpid(), *before}
        return {pid: table[pid] for pid in found if not CLEARING.search(table[pid].command)}

    def find(self, before: Snapshot) -> list[str]:
        """Names of what exists now and did not before, after a bounded wait. Kills the processes among it."""
        self._collect(before)
        deadline = time.monotonic() + self.settle
        tick = 0.0
        while more := self._more(before):
            if time.monotonic() >= deadline:
                break
            if not (more.processes or more.threads):
                self._collect(before)  # what a thread held until its end
            wait_for_ends(more.processes or (), min(LOOK_INTERVAL, deadline - time.monotonic()))
            time.sleep(tick)
            tick = TICK
        else:
            return []  # what exists a moment later was started by an engine to clear a container away
        self._collect(before)
        lines = self.end_processes(before.processes or frozenset())
        lines += [f"thread: {thread.name}" for thread in set(threading.enumerate()) - before.threads]
        lines += [f"file descriptor {number}: {name}" for number, name in open_files() - before.files]
        return lines

    def end_processes(self, before: Set[int]) -> list[str]:
        """Kill the processes that exist now and did not before, and return their names."""
        processes = self.processes(before).values()
        for each in processes:
            end(each.pid)
        return [f"process {each.pid}: {each.command}" for each in processes]

    @staticmethod
    def _collect(before: Snapshot) -> None:
        """Close files that only a reference cycle holds. They are not leaks, and ResourceWarning reports that nobody
        closed them.
        """
        if open_files() - before.files:
            gc.collect()

    def _more(self, before: Snapshot) -> Snapshot | None:
        unseen = before.processes is None and not has_children()
        processes = frozenset() if unseen else frozenset(self.processes(before.processes or frozenset()))
        threads = frozenset(threading.enumerate()) - before.threads
        more = Snapshot(processes, threads, open_files() - before.files)
        return more if more.processes or more.threads or more.files else None

    @staticmethod
    def _descendants(table: dict[int, Process], ancestors: set[int]) -> set[int]:
        children: dict[int, list[int]] = {}
        for process in table.values():
            children.setdefault(process.parent, []).append(process.pid)
        found: set[int] = set()
        todo = [pid for ancestor in ancestors for pid in children.get(ancestor, ())]
        while todo:
            pid = todo.pop()
            found.add(pid)
            todo += children.get(pid, ())
        return found


def wait_until(condition: Callable[[], T], bound: float) -> T:
    """Check until a condition holds or `bound` seconds have passed, and return its last value."""
    deadline = time.monotonic() + bound
    tick = TICK
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(tick)
        tick = min(tick * 1.2, LONGEST_TICK)
    return value


def holds(command: str, parts: tuple[str, ...]) -> bool:
    """Whether any of the parts occurs in a command line."""
    return any(part in command for part in parts)


def end(pid: int) -> None:
    """Kill a process, and take its status if it is a child."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def root_of(mark: str) -> Path:
    """The directory of a test in which its control masters listen. It is short, because the path of a socket is limited
    to 104 bytes.
    """
    return Path("/tmp", mark)


def carries(pid: int, wanted: list[bytes], *, exact: bool) -> bool:
    """Whether a process was started with any of these in its environment; False for processes of other users."""
    try:
        environ = read(f"{PROC}/{pid}/environ")
    except OSError:
        return False
    variables = environ.split(b"\0") if exact else environ
    return any(each in variables for each in wanted)


def has_children() -> bool:
    """Whether this process has a child, alive or dead."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def open_files() -> frozenset[tuple[int, str]]:
    """The open file descriptors of this process, and what each one is. macOS has /dev/fd, too."""
    return frozenset((int(name), what) for name in os.listdir("/dev/fd") if (what := description(int(name))))


def description(number: int) -> str:
    """What a file descriptor is; empty for the one that was used to list the directory, and is closed by now."""
    try:
        return os.readlink(f"/proc/self/fd/{number}")
    except OSError:
        with contextlib.suppress(OSError):
            return stat.filemode(os.fstat(number).st_mode)
        return ""
