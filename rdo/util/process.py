"""Processes on this machine: unique names for them, facts about them, and ending them. Reads /proc and runs ps(1).

A process id is reused, and in a container it denotes another process. A PID space is where it denotes just one: one
boot of a machine and, on Linux, one PID namespace.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Sequence
from typing import NamedTuple

from rdo.fscodec import fsdecode

TOOL_TIMEOUT = 5.0
"""Seconds for ps(1) or sysctl(8), which take some milliseconds."""

POLL_INTERVAL = 0.02
"""Seconds between two checks. Nothing reports the end of a process that is not a child."""


def pid_space() -> str:
    """The PID space of this process; empty if the system does not show it."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return f"{file.read().strip()} {os.readlink('/proc/self/ns/pid')}"
    except (OSError, ValueError):
        return _output(["sysctl", "-n", "kern.bootsessionuuid"]).strip()


def process_name(pid: int) -> str:
    """The process id and its start time, unique within a PID space; empty if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        if os.path.exists("/proc/self/stat"):
            return ""
        began = " ".join(_output(["ps", "-o", "lstart=", "-p", str(pid)]).split())
        return f"{pid} {began}" if began else ""
    return f"{pid} {fields[19]}" if fields[0] not in "ZX" else ""


def is_running(named: str) -> bool:
    """Whether the process of that name, in this PID space, is still running."""
    pid, _, _ = named.partition(" ")
    return pid.isdecimal() and process_name(int(pid)) == named


def _output(command: Sequence[str]) -> str:
    """What a program prints; empty if it cannot be run."""
    import subprocess  # not needed on Linux

    try:
        done = subprocess.run(command, capture_output=True, timeout=TOOL_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return fsdecode(done.stdout)


class Process(NamedTuple):
    """A running process. `memory` is its resident size in bytes."""

    memory: int
    command: str


def look(pid: int, proc: str = "/proc") -> Process | None:
    """The process with that id; None if it has ended, or if that cannot be determined.

    Uses ps(1) only where there is no /proc, as on macOS: containers often lack ps, and busybox has a different one.
    """
    if not os.path.exists(f"{proc}/self/statm"):
        return _ask_ps(pid)
    try:
        with open(f"{proc}/{pid}/cmdline", "rb") as file:
            words = file.read().rstrip(b"\0").split(b"\0")
        with open(f"{proc}/{pid}/statm", "rb") as file:
            pages = int(file.read().split()[1])
    except OSError:
        return None
    command = " ".join(map(fsdecode, words))
    return Process(pages * os.sysconf("SC_PAGE_SIZE"), command) if command else None


def _ask_ps(pid: int) -> Process | None:
    fields = _output(["ps", "-ww", "-o", "rss=,stat=,args=", "-p", str(pid)]).split(None, 2)
    if len(fields) < 3 or fields[1].startswith("Z"):
        return None
    return Process(int(fields[0]) * 1024, fields[2].strip())


def wait(pid: int, timeout: float) -> bool:
    """Wait for the process to end, and return whether it does within so many seconds."""
    return _wait(process_name(pid), timeout)


def _wait(named: str, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while is_running(named):
        if time.monotonic() > deadline:
            return False
        select.select((), (), (), POLL_INTERVAL)
    return True


def end(pid: int, timeout: float) -> bool:
    """Terminate the process, and kill it if it has not ended after so many seconds. Returns whether it has ended.

    If another process gets its id meanwhile, that one is left alone.
    """
    named = process_name(pid)
    for number in (signal.SIGTERM, signal.SIGKILL):
        if is_running(named):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        if _wait(named, timeout):
            return True
    return False
