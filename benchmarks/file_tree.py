"""Makes a large project for the rows about sync."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

from benchmarks.command import BenchmarkError

FILES = 20_000
"""The number of files: as many as the Linux kernel had years ago, or as a mid-sized company's monorepo has."""

IN_A_DIRECTORY = 50

SIZES = (300, 900, 2_000, 4_000, 12_000)
"""Sizes of files in bytes, used in turn, which are typical of source code."""

LINE = b"    return find(value, default=None)  # what is not there has no name\n"

GIT_TIMEOUT = 120.0
"""Seconds for one git command."""


def make_files(directory: Path, count: int = FILES) -> list[Path]:
    """Create the files, and a repository that tracks them. Raises BenchmarkError."""
    files = []
    for number, size in zip(range(count), itertools.cycle(SIZES), strict=False):
        place = number // IN_A_DIRECTORY
        below = directory / "src" / f"part{place % 20}" / f"module{place}"
        if number % IN_A_DIRECTORY == 0:
            below.mkdir(parents=True)
        text = b"# %d\n" % number + LINE * (size // len(LINE))
        files.append(below / f"file{number}.py")
        files[-1].write_bytes(text)
    for words in (("init", "-q"), ("add", "-A"), ("-c", "user.name=b", "-c", "user.email=b", "commit", "-qm", "b")):
        git(directory, *words)
    return files


def git(directory: Path, *words: str) -> None:
    """Run git in the directory. Raises BenchmarkError."""
    done = subprocess.run(["git", "-C", directory, *words], capture_output=True, timeout=GIT_TIMEOUT, check=False)
    if done.returncode:
        raise BenchmarkError(f"`git {' '.join(words)}`: {done.stderr.decode(errors='replace').strip()}")


def make_large(path: Path, size: int) -> None:
    """Create a file that cannot be compressed, and differs from every other one."""
    with open("/dev/urandom", "rb") as source, path.open("wb") as file:
        block = source.read(1 << 20)
        for number in range(size >> 20):
            file.write(number.to_bytes(8, "big") + block[8:])
