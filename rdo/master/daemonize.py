"""Drops what the control master has inherited from the caller that happened to start it, so that it cannot affect other
callers.

What no process can give up is handled elsewhere (see limits.py).
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
"""Files of the master are private. Programs that it starts for a caller get another umask."""

FILE_LIMIT = 4096
"""Descriptors of the master, some for each command, if there is no hard limit. macOS accepts no more than its kernel
allows."""

STACK_LIMIT = 8 * 1024 * 1024
"""Bytes, the usual default. Threads get stacks of this size."""


class Need(NamedTuple):
    """The minimum of a resource for a master. With less, it might fail anywhere."""

    limit: int
    least: int
    option: str
    """The option of the shell's `ulimit` for the resource."""
    unit: int
    """The unit of that option."""
    units: str
    """The name of that unit, in the plural."""


NEEDS = (
    # An interpreter, its libraries, and the stacks of some threads.
    Need(resource.RLIMIT_AS, 256 * 1024 * 1024, "-v", 1024, "KiB of address space"),
    # The master's own, a connection with the files read during login, and some for each of a few commands.
    Need(resource.RLIMIT_NOFILE, 64, "-n", 1, "open files"),
)

LIBRARY_PATHS = ("DYLD_LIBRARY_PATH", "LD_LIBRARY_PATH")
"""Variables that an interpreter may need to start, but no program of the target or of the user."""

WRITE_SIGNALS = {signal.SIGPIPE, signal.SIGXFSZ}
"""The signals for writing where nobody reads, or beyond the limit on file sizes. In the master, both are errors of
write(2). Python ignores these signals, and resets them in the programs that it starts."""

IOPRIO_SET = {
    "x86_64": 251, "aarch64": 30, "riscv64": 30, "loongarch64": 30, "ppc64le": 273, "s390x": 282,
}  # fmt: skip
"""The number of the system call ioprio_set(2), for which Python has no function, by the machine name of uname(2)."""

IOPRIO_WHO_PROCESS = 1
"""An argument of ioprio_set(2): a single process."""

IOPRIO_CLASS_NONE = 0
"""An argument of ioprio_set(2): the priority that follows from the niceness."""


def drop_inherited() -> None:
    """Return to the state of a process after a login, as far as the system allows."""
    os.umask(UMASK)
    for name in LIBRARY_PATHS:
        os.environ.pop(name, None)
    _reset_signals()
    _reset_priority()
    for kind in {getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}:
        _raise_limit(kind)


def check_limits() -> None:
    """Raise SetupError if a hard limit is too low. The next caller may have no such limit."""
    for need in NEEDS:
        _, hard = resource.getrlimit(need.limit)
        if hard != resource.RLIM_INFINITY and hard < need.least:
            least = need.least // need.unit
            why = f"the hard limit is {hard // need.unit}"
            raise SetupError(f"it needs {least} {need.units}", why, f"`ulimit {need.option} {least}` or more")


def _reset_signals() -> None:
    """Reset and unblock all signals. A shell without job control makes programs started with `&` ignore SIGINT."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, *WRITE_SIGNALS}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _reset_priority() -> None:
    """Reset the niceness. Lowering it may need privileges; if it fails, a caller with a lower niceness gets a new
    master."""
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
    """Reset the disk priority (see ionice(1)), also for threads started by this one. Linux only."""
    number = IOPRIO_SET.get(os.uname().machine)
    if sys.platform != "linux" or number is None or sys.maxsize < 2**32:
        return
    try:
        import ctypes

        ctypes.CDLL(None).syscall(number, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_NONE)
    except (AttributeError, ImportError, OSError):
        return  # a Python without ctypes


def _raise_limit(kind: int) -> None:
    """Raise the soft limit to the hard one."""
    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (_soft_limit(kind, hard), hard))


def _soft_limit(kind: int, hard: int) -> int:
    is_unlimited = hard == resource.RLIM_INFINITY
    if kind == resource.RLIMIT_NOFILE:
        return FILE_LIMIT if is_unlimited else hard
    most = {resource.RLIMIT_CORE: 0, resource.RLIMIT_STACK: STACK_LIMIT}.get(kind, hard)
    return most if is_unlimited else min(most, hard)
