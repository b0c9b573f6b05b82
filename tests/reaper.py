"""Runs Python with these arguments, and takes the status of each process below it that has lost its parent, at once.

An init should, but those of many containers and small machines come round every second or two, or never. Until then
the process is there, and what rdo has on a target, which in tests is this machine, waits to see its group end.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_CHILD_SUBREAPER = 36
"""See prctl(2)."""


def main(arguments: list[str]) -> int:
    """The exit status of Python, as a shell has it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = os.posix_spawn(sys.executable, [sys.executable, *arguments], os.environ)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the child, which gets it, too
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    while (ended := os.wait())[0] != child:
        pass
    status = os.waitstatus_to_exitcode(ended[1])
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
