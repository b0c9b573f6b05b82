"""What a test may leave behind: nothing. Finds processes, threads and file descriptors that came and did not go.

A process belongs to the tests if it descends from this one or from a registered server, or carries the run's mark
in its environment: in RDO_TEST_ID, or in the name of its runtime directory, as a control master does, which has long
left its parent and keeps next to nothing of a caller's environment. Where there is no /proc, as on macOS, environments
cannot be read without privileges: there descent alone counts.
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
"""Seconds for what a test has told to end to do so: a master, a server's session, a thread in its last line."""

TICK = 0.01
LONGEST_TICK = 0.05
"""Seconds between two looks, at first and later. Nothing tells when a process that is not our child has ended."""

LOOK_INTERVAL = 0.25
"""Seconds after which processes that have not ended are looked at anew: one that was just begun may turn out to be a
shell of a master that stays."""

MARK = "RDO_TEST_ID"

CLEARING = re.compile(r"/containerd-shim-\S+ .* delete$")
"""An engine that clears a container away, which goes on a while after the container is gone."""


T = TypeVar("T")


@dataclass(frozen=True)
class Snapshot:
    """What there is at one moment."""

    processes: frozenset[int] | None
    """All of this machine, whoever's they are. None: this one has no child, and the others were not looked at."""
    threads: frozenset[threading.Thread]
    files: frozenset[tuple[int, str]]


@dataclass
class Leaks:
    """Compares before and after. `run` is the mark that all tests of this run begin theirs with."""

    run: str
    settle: float = SETTLE
    _servers: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def register_server(self, pid: int, *stays: str) -> None:
        """Watch a server's descendants too: what rdo has started on the target.

        A new one whose command line holds one of `stays` is no leak: the idle shells of a master that outlives a test.
        The server should also set RDO_TEST_ID for its sessions (sshd's SetEnv), so that what left them is found too.
        """
        self._servers[pid] = stays

    def snapshot(self, *, quick: bool = False) -> Snapshot:
        """Remember what there is now. `quick`: of processes only whether this one has children."""
        processes = None if quick and not has_children() else frozenset(process_numbers())
        return Snapshot(processes, frozenset(threading.enumerate()), open_files())

    def processes(self, before: Set[int] = frozenset(), mark: str = "") -> dict[int, Process]:
        """Processes of the tests by number, without this one and what was there before; with a mark, only those that
        carry exactly it.
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
        """Name what is there now and was not before, after a bounded wait; kill the processes among it."""
        self._collect(before)
        deadline = time.monotonic() + self.settle
        tick = 0.0
        while more := self._more(before):
            if time.monotonic() >= deadline:
                break
            if not (more.processes or more.threads):
                self._collect(before)  # what a thread held to its end
            wait_for_ends(more.processes or (), min(LOOK_INTERVAL, deadline - time.monotonic()))
            time.sleep(tick)
            tick = TICK
        else:
            return []  # what is there a moment later, an engine runs to clear away a container
        self._collect(before)
        lines = self.end_processes(before.processes or frozenset())
        lines += [f"thread: {thread.name}" for thread in set(threading.enumerate()) - before.threads]
        lines += [f"file descriptor {number}: {name}" for number, name in open_files() - before.files]
        return lines

    def end_processes(self, before: Set[int]) -> list[str]:
        """Name the processes that are there now and were not before, and kill them."""
        processes = self.processes(before).values()
        for each in processes:
            end(each.pid)
        return [f"process {each.pid}: {each.command}" for each in processes]

    @staticmethod
    def _collect(before: Snapshot) -> None:
        """Close files that only a cycle holds: no leak yet, and that nobody closed them, ResourceWarning tells."""
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
    """Look until a condition holds or `bound` seconds have passed; its last value tells which."""
    deadline = time.monotonic() + bound
    tick = TICK
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(tick)
        tick = min(tick * 1.2, LONGEST_TICK)
    return value


def holds(command: str, parts: tuple[str, ...]) -> bool:
    """Whether any of the parts stands in a command line."""
    return any(part in command for part in parts)


def end(pid: int) -> None:
    """Kill a process, and take its status if it is a child of ours."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def root_of(mark: str) -> Path:
    """The directory of a test, in which its control masters listen. A socket's path has room for 104 bytes."""
    return Path("/tmp", mark)


def carries(pid: int, wanted: list[bytes], *, exact: bool) -> bool:
    """Whether a process was started with any of these in its environment; no for those of other users, not ours."""
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
    """Open file descriptors of this process and what each one is; /dev/fd is on macOS as on Linux."""
    return frozenset((int(name), what) for name in os.listdir("/dev/fd") if (what := description(int(name))))


def description(number: int) -> str:
    """What a file descriptor is; empty for the one that listed the directory, which is closed again."""
    try:
        return os.readlink(f"/proc/self/fd/{number}")
    except OSError:
        with contextlib.suppress(OSError):
            return stat.filemode(os.fstat(number).st_mode)
        return ""
