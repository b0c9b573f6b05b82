"""Runs Python with these arguments, and at once takes the status of each process below it that has lost its parent.

An init should do that, but those of many containers and small machines only do it every second or two, or never. Until
then, the process exists, and rdo's script on the target, which is this machine in tests, waits for its group to end.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_CHILD_SUBREAPER = 36
"""See prctl(2)."""


def main(arguments: list[str]) -> int:
    """Run Python; returns its exit status, as a shell reports it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = os.posix_spawn(sys.executable, [sys.executable, *arguments], os.environ)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the child handles Ctrl-C, which it also gets
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    while (ended := os.wait())[0] != child:
        pass
    status = os.waitstatus_to_exitcode(ended[1])
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
