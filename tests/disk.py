"""File systems of their own for tests: one that is full, and one that is strange in another way."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Mount = Callable[..., Path]
"""Mounts: a directory, its kind, and options."""

PAGE = os.sysconf("SC_PAGE_SIZE")


def why_not() -> str:
    """Why nothing can be mounted here; empty where it can."""
    return "" if os.geteuid() == 0 and Path("/proc/mounts").exists() else "only root mounts file systems, on Linux"


@contextlib.contextmanager
def mounts() -> Iterator[Mount]:
    """Mounts file systems, and takes them away at the end."""
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
    """Leave no room for a single byte more: what is there may grow to the end of its last page at most."""
    with contextlib.suppress(OSError), (directory / "filler").open("wb", buffering=0) as file:
        while file.write(b"x" * PAGE):
            pass
