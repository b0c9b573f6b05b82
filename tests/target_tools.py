"""The programs that a target of the tests has: a PATH of a test's choice."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

TOOLS = (
    "cat", "chmod", "dd", "env", "find", "ls", "mkdir", "mv", "readlink", "rm", "rmdir", "sh", "sha256sum", "sleep",
    "stat", "tar", "touch", "wc",
)  # fmt: skip
"""What the scripts call, and `sh`."""


def tools(directory: Path, *, without: Sequence[str] = (), busybox: bool = False) -> str:
    """A PATH with what the scripts call, and nothing else."""
    directory.mkdir()
    program = shutil.which("busybox") if busybox else None
    for name in TOOLS:
        found = program or shutil.which(name)
        if name not in without and found:
            (directory / name).symlink_to(found)
    return str(directory)


KILLER = """#!/bin/sh
count=$(cat {counter})
echo $((count + 1)) >{counter}
[ "$count" -ne {number} ] || [ {after} -eq 1 ] || {{ kill -9 $PPID; exit 1; }}
{program} "$@"
status=$?
[ "$count" -ne {number} ] || {{ kill -9 $PPID; exit 1; }}
exit $status
"""
"""A program that ends the shell that calls it, before or after it has done its work, at one call of all."""


def deadly_tools(directory: Path, number: int, *, after: bool) -> str:
    """A PATH of programs of which the one that is called as number so-and-so ends its caller."""
    path = tools(directory)
    counter = directory / "counter"
    counter.write_text("0\n")
    for name in TOOLS:
        found = shutil.which(name)
        if found and name not in ("sh", "cat"):
            (directory / name).unlink()
            (directory / name).write_text(
                KILLER.format(counter=counter, number=number, after=int(after), program=found)
            )
            (directory / name).chmod(0o755)
    return path


def calls(directory: Path) -> int:
    """How many programs were called."""
    return int((directory / "counter").read_text())
