"""Lists the processes of this machine, by /proc or by ps(1), and waits for their ends."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path

READ_SIZE = 65536


TICK = 0.01
"""Seconds between two checks, if nothing reports the end of a process that is not a child."""

PROC = Path("/proc")


IS_LINUX = sys.platform == "linux"


@dataclass(frozen=True)
class Process:
    """A process as the system lists it. Its command distinguishes it from a later one with the same number."""

    pid: int
    parent: int
    command: str


def wait_for_ends(pids: Iterable[int], bound: float) -> None:
    """Wait until none of these processes is left, or `bound` seconds have passed, without examining all others."""
    deadline = time.monotonic() + bound
    for pid in pids:
        wait_for_end(pid, max(0.0, deadline - time.monotonic()))


def wait_for_end(pid: int, bound: float) -> None:
    if sys.platform != "linux":
        deadline = time.monotonic() + bound
        while is_there(pid) and time.monotonic() < deadline:
            time.sleep(TICK)
        return
    with contextlib.suppress(ProcessLookupError):
        fd = os.pidfd_open(pid)
        try:
            ended = select.poll()
            ended.register(fd, select.POLLIN)
            ended.poll(bound * 1000)
        finally:
            os.close(fd)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def group_lives(group: int) -> bool:
    """Whether a process of the group is running. Process 1 may leave a zombie that nobody else waits for."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return not IS_LINUX or any(pgrp == group and state not in "ZX" for state, pgrp in states_and_groups())


def states_and_groups() -> Iterator[tuple[str, int]]:
    """The state and the group of each process that is not older than the tests; see proc(5)."""
    for number in process_numbers() - OLDER:
        with contextlib.suppress(OSError):
            state, _, group = read(f"{PROC}/{number}/stat").rpartition(b")")[2].split()[:3]
            yield state.decode(), int(group)


def listed_processes(known: Set[int] = frozenset()) -> dict[int, Process]:
    """The processes of this machine that are not older than the tests, by number; zombies only if the tests had to take
    their status. Of those that are `known`, at least the ones that others descend from.
    """
    if not IS_LINUX:
        return processes_of_ps()
    numbers = process_numbers()
    OLDER.intersection_update(numbers)  # a number that was free may belong to a test by now
    found: dict[int, Process] = {}
    wanted = numbers - OLDER - known
    while wanted:
        more = {number: process for number in wanted if (process := read_process(number))}
        found |= more
        wanted = {process.parent for process in more.values()} - OLDER - found.keys()
    return found


def process_numbers() -> set[int]:
    """The process IDs of all processes of this machine."""
    return {int(name) for name in os.listdir(PROC) if name.isdecimal()} if IS_LINUX else set(processes_of_ps())


OLDER = process_numbers() if IS_LINUX else set()
"""The processes that ran before the tests. None of them belongs to a test, and reading them each time would take most
of the time.
"""


def read_process(pid: int) -> Process | None:
    """One process from /proc, or None if it has just gone; see proc(5)."""
    try:
        line = read(f"{PROC}/{pid}/stat").decode(errors="replace")
        command = read(f"{PROC}/{pid}/cmdline").replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return None
    name, _, rest = line.partition("(")[2].rpartition(")")
    state, parent = rest.split()[0], int(rest.split()[1])
    if state in "ZX" and parent != os.getpid():
        return None
    return Process(pid, parent, command or f"[{name}] {'zombie' if state == 'Z' else ''}".rstrip())


def read(path: str) -> bytes:
    """Read a whole file of /proc with plain system calls, since each test reads hundreds. Raises OSError."""
    fd = os.open(path, os.O_RDONLY)
    try:
        data = os.read(fd, READ_SIZE)
        while len(data) % READ_SIZE == 0 and (more := os.read(fd, READ_SIZE)):
            data += more
        return data
    finally:
        os.close(fd)


def processes_of_ps() -> dict[int, Process]:
    """The same from ps(1), as POSIX specifies it, without ps itself."""
    with subprocess.Popen(["ps", "-Awwo", "pid=,ppid=,args="], stdout=subprocess.PIPE, text=True) as ps:
        rows = [line.split(None, 2) for line in ps.communicate()[0].splitlines()]
    return {int(row[0]): Process(int(row[0]), int(row[1]), row[-1]) for row in rows if int(row[0]) != ps.pid}
