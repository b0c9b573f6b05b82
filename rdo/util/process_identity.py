"""Names of processes that no other one ever has: a process id is used again, and means another one in a container.

SPACE is where process ids mean the same: one boot of a machine, and on Linux one PID namespace of it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

TOOL_TIMEOUT = 5.0
"""Seconds for ps(1) or sysctl(8), which take some milliseconds."""


def space() -> str:
    """The space of this process; empty where it cannot be told, and so nothing may be said of others."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return f"{file.read().strip()} {os.readlink('/proc/self/ns/pid')}"
    except (OSError, ValueError):
        return _output(["sysctl", "-n", "kern.bootsessionuuid"])


def name(pid: int) -> str:
    """The process by its id and when it began, for use within its space; empty if there is none, or nothing tells."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        if os.path.exists("/proc/self/stat"):
            return ""
        began = _output(["ps", "-o", "lstart=", "-p", str(pid)])
        return f"{pid} {began}" if began else ""
    return f"{pid} {fields[19]}" if fields[0] not in "ZX" else ""


def lives(named: str) -> bool:
    """Whether the process of that name, of this space, still is."""
    pid, _, _ = named.partition(" ")
    return pid.isdecimal() and name(int(pid)) == named


def _output(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TOOL_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return " ".join(done.stdout.split())
