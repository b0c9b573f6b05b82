"""Mounts file systems for tests, such as one that is full."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Mount = Callable[..., Path]
"""Mounts a file system: takes a directory, its type, and options."""

PAGE = os.sysconf("SC_PAGE_SIZE")


def why_not() -> str:
    """Why nothing can be mounted here; empty if mounting is possible."""
    return "" if os.geteuid() == 0 and Path("/proc/mounts").exists() else "only root mounts file systems, on Linux"


@contextlib.contextmanager
def mounts() -> Iterator[Mount]:
    """A function that mounts file systems, which are unmounted at the end."""
    made: list[Path] = []

    def mount(directory: Path, kind: str = "tmpfs", options: str = "size=256k,mode=700") -> Path:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = ["mount", "-t", kind, "-o", options, "rdo-test", str(directory)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no {kind} can be mounted here: {done.stderr.strip()}")
        made.append(directory)
        return directory

    yield mount
    for directory in reversed(made):
        subprocess.run(["umount", "-l", str(directory)], check=True)


def fill(directory: Path) -> None:
    """Fill the file system completely. Existing files can grow to the end of their last page at most."""
    with contextlib.suppress(OSError), (directory / "filler").open("wb", buffering=0) as file:
        while file.write(b"x" * PAGE):
            pass
