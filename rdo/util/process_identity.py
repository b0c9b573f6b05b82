"""Names of processes that are never reused. A process id is, and in a container it means another process.

A PID space is where a process id means one process: one boot of a machine, and on Linux one PID namespace of it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

TOOL_TIMEOUT = 5.0
"""Seconds for ps(1) or sysctl(8), which take some milliseconds."""


def pid_space() -> str:
    """The PID space of this process; empty where the system does not show it."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return f"{file.read().strip()} {os.readlink('/proc/self/ns/pid')}"
    except (OSError, ValueError):
        return _output(["sysctl", "-n", "kern.bootsessionuuid"])


def process_name(pid: int) -> str:
    """The id of a process and when it started, unique within its PID space; empty if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        if os.path.exists("/proc/self/stat"):
            return ""
        began = _output(["ps", "-o", "lstart=", "-p", str(pid)])
        return f"{pid} {began}" if began else ""
    return f"{pid} {fields[19]}" if fields[0] not in "ZX" else ""


def is_running(named: str) -> bool:
    """Whether the process of that name, in this PID space, is still running."""
    pid, _, _ = named.partition(" ")
    return pid.isdecimal() and process_name(int(pid)) == named


def _output(command: Sequence[str]) -> str:
    import subprocess  # not needed on Linux

    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TOOL_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return " ".join(done.stdout.split())
