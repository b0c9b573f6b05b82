"""Selects the programs that a target has, by a PATH for the test."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

TOOLS = (
    "cat", "chmod", "dd", "env", "find", "ls", "mkdir", "mv", "printf", "readlink", "rm", "rmdir", "sh", "sha256sum",
    "sleep", "stat", "tar", "touch", "wc",
)  # fmt: skip
"""The programs that the scripts call, and `sh`."""


def tools(directory: Path, *, without: Sequence[str] = (), busybox: bool = False) -> str:
    """A PATH with only the programs that the scripts call."""
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
"""A program that ends the shell that calls it, before or after it has done its work, at one of all calls."""


def tools_that_kill_the_shell(directory: Path, number: int, *, after: bool) -> str:
    """A PATH of programs that end the shell at the call with this number."""
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
    """The number of calls so far."""
    return int((directory / "counter").read_text())
