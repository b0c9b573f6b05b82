"""A project of many files, as large ones are: for the rows about sync."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

from benchmarks.command import BenchmarkError

FILES = 20_000
"""As the Linux kernel had a few years ago, or a mid-sized company's monorepo has."""

IN_A_DIRECTORY = 50

SIZES = (300, 900, 2_000, 4_000, 12_000)
"""Bytes of files, in turn: as source code has them."""

LINE = b"    return find(value, default=None)  # what is not there has no name\n"

GIT_TIMEOUT = 120.0
"""Seconds for one command of git."""


def make_files(directory: Path, count: int = FILES) -> list[Path]:
    """Make the files, and a repository that tracks them. Raises BenchmarkError."""
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
    """Run git there. Raises BenchmarkError."""
    done = subprocess.run(["git", "-C", directory, *words], capture_output=True, timeout=GIT_TIMEOUT, check=False)
    if done.returncode:
        raise BenchmarkError(f"`git {' '.join(words)}`: {done.stderr.decode(errors='replace').strip()}")


def make_large(path: Path, size: int) -> None:
    """A file that nothing can compress, or take for another one."""
    with open("/dev/urandom", "rb") as source, path.open("wb") as file:
        block = source.read(1 << 20)
        for number in range(size >> 20):
            file.write(number.to_bytes(8, "big") + block[8:])
