"""File systems of their own for tests: one that is full, and one that is strange in another way."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Mount = Callable[..., Path]
"""Mounts: a folder, its kind, and options."""

PAGE = os.sysconf("SC_PAGE_SIZE")


def why_not() -> str:
    """Why nothing can be mounted here; empty where it can."""
    return "" if os.geteuid() == 0 and Path("/proc/mounts").exists() else "only root mounts file systems, on Linux"


@contextlib.contextmanager
def mounts() -> Iterator[Mount]:
    """Mounts file systems, and takes them away at the end."""
    made: list[Path] = []

    def mount(folder: Path, kind: str = "tmpfs", options: str = "size=256k,mode=700") -> Path:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = ["mount", "-t", kind, "-o", options, "rdo-test", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no {kind} can be mounted here: {done.stderr.strip()}")
        made.append(folder)
        return folder

    yield mount
    for folder in reversed(made):
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Leave no room for a single byte more: what is there may grow to the end of its last page at most."""
    with contextlib.suppress(OSError), (folder / "filler").open("wb", buffering=0) as file:
        while file.write(b"x" * PAGE):
            pass
