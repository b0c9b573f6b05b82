"""Tests for crashes at any moment of a push or a pull: no file is half written, lost, or in another than its two
versions.

This applies to both sides, and the next command restores the expected state.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.masters import masters
from tests.e2e.project import TIMEOUT, Started
from tests.e2e.reached import Reached, over_ssh
from tests.e2e.synced import OWN, Synced
from tests.leaks import wait_until
from tests.processes import listed_processes
from tests.soak import Counted, tries
from tests.sshd import Sshd

POINTS = tries(3, 50)
"""Moments of a command, in equal intervals, at which something is killed."""

TIMES = tries(1, 10)

FILES = 30

SIZES = (0, 1, 100, 5_000, 300_000)

BUILD = """
mkdir -p out/deep && for name in a b deep/c; do
    { cat in-1/f1; cat in-4/f4; } > out/.new && mv out/.new out/$name
done
"""
"""Creates the files to pull, from the text of a version."""


@dataclass
class Crash:
    """A project over a line, and the expected state of its files."""

    reached: Reached
    server: Sshd
    version: int = 0

    @property
    def synced(self) -> Synced:
        return Synced(self.reached.project)

    def write(self) -> None:
        """Write the next version of all local files: some are new, some are removed, some become links or
        directories.
        """
        self.version += 1
        top = self.synced.here
        for number in range(FILES):
            path = top / f"in-{number % 7}" / f"f{number}"
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)
            path.parent.mkdir(exist_ok=True)
            if number % 10 == 6:
                if self.version % 2:
                    path.symlink_to(f"v{self.version}")
                else:
                    path.mkdir()
                    (path / "inner").write_bytes(text(self.version, 1))
            elif number % 10 != 5 or self.version % 2:
                path.write_bytes(text(self.version, number))

    def start(self) -> Started:
        return self.reached.project.start("-c", BUILD, stdin=subprocess.DEVNULL)

    def check(self) -> None:
        """Check that each file is one of two versions, on either side, and that none is lost."""
        olds, new = {self.version - 1, self.version}, self.version
        assert versions(self.synced.there, "in-*") <= olds
        assert versions(self.synced.here, "in-*") == {new}
        for side in (self.synced.here, self.synced.there):
            assert versions(side, "out") <= olds
        always = {f"in-{n % 7}/f{n}" for n in range(FILES) if n % 10 not in (5, 6)}
        assert all((self.synced.there / name).is_file() for name in always)
        for name in ("a", "b", "deep/c"):
            assert (self.synced.here / "out" / name).is_file()

    def check_recovery(self) -> None:
        """Check that the next command restores the expected state."""
        done = self.reached.project.run("-c", BUILD)
        assert (done.returncode, done.stderr) == (0, b""), done
        assert versions(self.synced.there, "in-*") == {self.version}
        assert versions(self.synced.here, "out") == versions(self.synced.there, "out") == {self.version}


def text(version: int, number: int) -> bytes:
    """A file's content, which shows its version, and whether it is complete."""
    size = SIZES[number % len(SIZES)]
    line = b"version %d\n" % version
    return b"begin %d\n" % version + line * (size // len(line)) + b"end %d\n" % version


def versions(top: Path, pattern: str) -> set[int]:
    """The versions of all files below, each of which has to be complete. A file that a continuing push is just
    replacing by something else is skipped.
    """
    found: set[int] = set()
    for start in top.glob(pattern):
        for path in [start, *below(start)]:
            with contextlib.suppress(OSError):
                if path.is_symlink():
                    found.add(int(os.readlink(path)[1:]))
                elif path.is_file() and OWN not in path.parts and path.name != ".new":
                    found |= whole(path)
    return found


def below(top: Path) -> Iterator[Path]:
    """Everything below, even while it changes: Path.rglob() fails if a directory disappears meanwhile."""
    for directory, directories, files in os.walk(top):
        yield from (Path(directory, name) for name in (*directories, *files))


def whole(path: Path) -> set[int]:
    lines = path.read_bytes().split(b"\n")
    numbers = {int(line.split()[1]) for line in set(lines) if line}
    assert len(numbers) == 1, f"{path} is of two versions"
    assert (lines[0][:6], lines[-2][:4]) == (b"begin ", b"end "), f"{path} is not whole"
    return numbers


def kill_client(crash: Crash, running: Started) -> None:
    running.kill()


def kill_master(crash: Crash, running: Started) -> None:
    for pid in masters(crash.reached.project):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def cut_link(crash: Crash, running: Started) -> None:
    crash.reached.line.cut()


def kill_target(crash: Crash, running: Started) -> None:
    """Kill everything that runs there for this connection, as a power failure would; its disk keeps what was
    written.
    """
    table = listed_processes()
    doomed = {crash.server.pid}
    while more := {pid for pid, each in table.items() if each.parent in doomed} - doomed:
        doomed |= more
    for pid in doomed - {crash.server.pid}:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


WAYS: dict[str, Callable[[Crash, Started], None]] = {
    "client": kill_client,
    "master": kill_master,
    "link": cut_link,
    "target": kill_target,
}


@pytest.fixture
def crash(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> Iterator[Crash]:
    with ExitStack() as stack:
        reached = over_ssh(tmp_path, runtime, sshd, stack)
        shutil.rmtree(reached.project.remote)
        shutil.rmtree(reached.project.local / "src")
        made = Crash(reached, sshd)
        made.synced.configure('pull = ["out/**"]\nexclude = ["out/.new"]\n')
        made.write()
        made.check_recovery()
        yield made


@pytest.mark.soak
@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_lost_or_half_written(crash: Crash, way: str, counted: Counted) -> None:
    chosen = random.Random(way)
    crash.write()
    began = time.monotonic()
    crash.check_recovery()
    duration = time.monotonic() - began
    for point in counted(f"kills of the {way}", (point for point in range(POINTS) for _ in range(TIMES))):
        crash.write()
        with crash.start() as running:
            time.sleep(duration * (point + chosen.random()) / POINTS)
            WAYS[way](crash, running)
            running.wait(TIMEOUT)
            running.communicate()
        crash.check()
        wait_until(lambda: not is_copying(crash), TIMEOUT)
        crash.check()
        crash.check_recovery()


def is_copying(crash: Crash) -> bool:
    """Whether a process of the interrupted push is still running there."""
    return any(f"{crash.synced.there}/{OWN}" in each.command for each in listed_processes().values())
