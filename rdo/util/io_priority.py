"""The priority of this process for disks, as ionice(1) sets it. Linux has it, and no module of Python's."""

from __future__ import annotations

import os
import sys

IOPRIO_SET = {
    "x86_64": 251, "aarch64": 30, "riscv64": 30, "loongarch64": 30, "ppc64le": 273, "s390x": 282,
}  # fmt: skip
"""Its number among the system calls of 64 bits, by the machine that uname(2) names."""

THIS_PROCESS = 1
"""IOPRIO_WHO_PROCESS."""

NONE = 0
"""IOPRIO_CLASS_NONE: that which goes with its niceness."""


def reset() -> None:
    """Have none of its own, as after a login; so do the threads that this one starts. Raises nothing."""
    number = IOPRIO_SET.get(os.uname().machine)
    if sys.platform != "linux" or number is None or sys.maxsize < 2**32:
        return
    try:
        import ctypes

        ctypes.CDLL(None).syscall(number, THIS_PROCESS, 0, NONE)
    except (AttributeError, ImportError, OSError):
        return  # a Python without it
