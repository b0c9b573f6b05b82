"""What the control master drops of the caller that happened to start it: nothing of one caller may affect another.

What no process can give up (see limits.py) is not decided here.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from typing import NamedTuple

from rdo.errors import SetupError

UMASK = 0o077
"""Nothing that the master makes is for others. What it runs for a caller has another one."""

FILE_LIMIT = 4096
"""Descriptors of the master, some for each command, where the hard limit is none: then macOS takes no more than its
kernel has.
"""

STACK_LIMIT = 8 * 1024 * 1024
"""Bytes: as all systems have it. Threads get stacks of that size."""


class Need(NamedTuple):
    """What a master has to have at least: with less there is no telling what fails when."""

    limit: int
    least: int
    option: str
    """The option of the shell's `ulimit` for it."""
    unit: int
    """What that counts in."""
    units: str
    """Many of these in words."""


NEEDS = (
    # An interpreter, its libraries, and stacks of some threads.
    Need(resource.RLIMIT_AS, 256 * 1024 * 1024, "-v", 1024, "KiB of address space"),
    # Its own, a connection with what its login reads, and some for each of a few commands.
    Need(resource.RLIMIT_NOFILE, 64, "-n", 1, "open files"),
)

LIBRARY_PATHS = ("DYLD_LIBRARY_PATH", "LD_LIBRARY_PATH")
"""Variables that an interpreter may need to start, and that no program of the target's or the user's has need of."""

OF_WRITING = {signal.SIGPIPE, signal.SIGXFSZ}
"""What a process gets that writes where nobody reads, or more than a file may have: here both are errors of write(2).
Python ignores them, and has them at their default in what it starts.
"""

IOPRIO_SET = {
    "x86_64": 251, "aarch64": 30, "riscv64": 30, "loongarch64": 30, "ppc64le": 273, "s390x": 282,
}  # fmt: skip
"""The number of the system call ioprio_set(2), which Python has no function for; by the machine that uname(2) names."""

IOPRIO_WHO_PROCESS = 1
"""Of ioprio_set(2): one process."""

IOPRIO_CLASS_NONE = 0
"""Of ioprio_set(2): the priority that goes with the niceness."""


def shed() -> None:
    """Be as a process is after a login, as far as the system allows."""
    os.umask(UMASK)
    for name in LIBRARY_PATHS:
        os.environ.pop(name, None)
    _reset_signals()
    _reset_priority()
    for kind in {getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}:
        _raise_limit(kind)


def check_limits() -> None:
    """Raises SetupError where a hard limit leaves too little: the next caller may have none."""
    for need in NEEDS:
        _, hard = resource.getrlimit(need.limit)
        if hard != resource.RLIM_INFINITY and hard < need.least:
            least = need.least // need.unit
            why = f"the hard limit is {hard // need.unit}"
            raise SetupError(f"it needs {least} {need.units}", why, f"`ulimit {need.option} {least}` or more")


def _reset_signals() -> None:
    """Each at its default, none blocked: a shell without job control has what it starts with `&` ignore SIGINT."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, *OF_WRITING}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _reset_priority() -> None:
    """To be less nice is not everybody's right: where it fails, the next caller that is has a new master."""
    with contextlib.suppress(OSError):
        if os.getpriority(os.PRIO_PROCESS, 0) > 0:
            os.setpriority(os.PRIO_PROCESS, 0, 0)
    _reset_io_priority()
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    if hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, range(os.cpu_count() or 1))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("0")


def _reset_io_priority() -> None:
    """Have no priority of our own for disks (see ionice(1)), nor have the threads that this one starts. Linux only."""
    number = IOPRIO_SET.get(os.uname().machine)
    if sys.platform != "linux" or number is None or sys.maxsize < 2**32:
        return
    try:
        import ctypes

        ctypes.CDLL(None).syscall(number, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_NONE)
    except (AttributeError, ImportError, OSError):
        return  # a Python without it


def _raise_limit(kind: int) -> None:
    """The soft limit, to the hard one."""
    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (_soft_limit(kind, hard), hard))


def _soft_limit(kind: int, hard: int) -> int:
    is_unlimited = hard == resource.RLIM_INFINITY
    if kind == resource.RLIMIT_NOFILE:
        return FILE_LIMIT if is_unlimited else hard
    most = {resource.RLIMIT_CORE: 0, resource.RLIMIT_STACK: STACK_LIMIT}.get(kind, hard)
    return most if is_unlimited else min(most, hard)
