"""Processes of this machine, by number: what they are, and their end. Knows /proc and ps(1), and nothing of rdo."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from typing import NamedTuple

from rdo.fscodec import fsdecode
from rdo.util import process_identity

POLL_INTERVAL = 0.02
"""Seconds between two checks. Nothing reports the end of a process that is not our child."""

PS_TIMEOUT = 5.0
"""Seconds for ps(1), which takes some milliseconds."""


class Process(NamedTuple):
    """A process that is there. `memory` is what it has in RAM, in bytes."""

    memory: int
    command: str


def look(pid: int, proc: str = "/proc") -> Process | None:
    """The process of that number; None if it has ended, or if that cannot be determined.

    By ps(1), which macOS has too, only where there is no /proc: containers often lack it, and busybox has another one.
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
    import subprocess  # not needed on Linux

    argv = ["ps", "-ww", "-o", "rss=,stat=,args=", "-p", str(pid)]
    try:
        answer = subprocess.run(argv, capture_output=True, timeout=PS_TIMEOUT, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    fields = fsdecode(answer).split(None, 2)
    if len(fields) < 3 or fields[1].startswith("Z"):
        return None
    return Process(int(fields[0]) * 1024, fields[2].strip())


def wait(pid: int, timeout: float) -> bool:
    """Whether the process ends within so many seconds."""
    return _wait(process_identity.process_name(pid), timeout)


def _wait(named: str, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while process_identity.is_running(named):
        if time.monotonic() > deadline:
            return False
        select.select((), (), (), POLL_INTERVAL)
    return True


def end(pid: int, timeout: float) -> bool:
    """Terminate the process, and kill it if it has not ended after so many seconds. Whether it has ended then.

    Another one that gets its number meanwhile is left alone.
    """
    named = process_identity.process_name(pid)
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process_identity.is_running(named):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        if _wait(named, timeout):
            return True
    return False
