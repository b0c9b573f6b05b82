"""The rows about sync: what a command waits for, beside rsync over a held connection."""

from __future__ import annotations

import contextlib
import itertools
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.command import Command, Skipped
from benchmarks.figures import Outcome, spread
from benchmarks.file_tree import make_files, make_large
from benchmarks.interleave import Sample, interleave
from benchmarks.memory_rows import settled
from benchmarks.plan import Plan
from benchmarks.ssh_rows import compare, milliseconds
from benchmarks.target import ALIAS, DELAY, Target, control_master, ssh_target


@dataclass(frozen=True)
class Copies:
    """A project that goes to a target: by rdo and by rsync, each to directories of its own."""

    target: Target
    held: Path
    numbers: Iterator[int]

    @property
    def here(self) -> Path:
        return self.target.project.directory

    def aim(self) -> None:
        """Have rdo push to a directory that is not there yet."""
        self._configure(f'directory = "{self.target.home}/rdo{next(self.numbers)}"\nsync = "push"\n')

    def connect(self) -> None:
        """Have rdo hold a connection, with nothing copied."""
        self._configure(f'directory = "{self.target.home}"\n')
        self.target.rdo("true").time()

    def _configure(self, text: str) -> None:
        (self.here / ".rdo.conf").write_text(f'driver = "ssh"\nhost = "{ALIAS}"\n{text}')

    def rsync(self, directory: str) -> Command:
        """The whole project by rsync, over the held connection."""
        shell = shlex.join(self.target.ssh(held=self.held).argv[:-1])
        place = f"{ALIAS}:{self.target.home}/{directory}/"
        return self.target.project.command("rsync", "-a", "--delete", "--exclude=.git", "-e", shell, "./", place)

    def rsync_and_run(self, directory: str) -> Command:
        """The same, and a command after it."""
        both = (self.rsync(directory).argv, self.target.ssh("true", held=self.held).argv)
        return self.target.project.command("sh", "-c", " && ".join(map(shlex.join, both)))


@contextlib.contextmanager
def copies(plan: Plan, delay: float = 0.0) -> Iterator[Copies]:
    """A target, and a project with nothing in it. Raises Skipped."""
    if shutil.which("rsync") is None:
        raise Skipped("rsync is not installed")
    with ssh_target(plan.space, delay=delay) as target, control_master(target) as held:
        made = Copies(target, held, itertools.count(1))
        made.aim()
        yield made


def clean(plan: Plan) -> Outcome:
    """What a sync adds to a command if nothing has changed."""
    with copies(plan) as project:
        make_files(project.here)
        with_sync, without = (project.target.rdo(*words, "true") for words in ((), ("--no-sync",)))
        pairs = interleave(milliseconds(with_sync), milliseconds(without), plan.repetitions)
        more = tuple(one - other for one, other in zip(pairs.ours, pairs.theirs, strict=True))
        project.rsync("peer").time()
        peer = spread([project.rsync("peer").time() * 1000 for _ in range(plan.repetitions // 5)]).middle
        return Outcome(plan.goal, more, note=f"`rsync -a`, which finds nothing to copy either, takes {peer:.0f} ms")


def edited(plan: Plan) -> Outcome:
    """One file was saved, then a command was typed."""
    return _edited(plan)


def edited_delayed(plan: Plan) -> Outcome:
    """The same, which counts round trips."""
    return _edited(plan, DELAY)


def _edited(plan: Plan, delay: float = 0.0) -> Outcome:
    with copies(plan, delay) as project:
        file = make_files(project.here)[1234]

        def after_edit(command: Command) -> Sample:
            def sample() -> float:
                with file.open("ab") as opened:
                    opened.write(b"# edited\n")
                return command.time() * 1000

            return sample

        return compare(plan, after_edit(project.target.rdo("true")), after_edit(project.rsync_and_run("peer")))


def first(plan: Plan) -> Outcome:
    """The first copy of many files."""
    with copies(plan) as project:
        make_files(project.here)
        return _first(plan, project)


def first_large(plan: Plan) -> Outcome:
    """The first copy of one large file."""
    with copies(plan) as project:
        make_large(project.here / "large", plan.bulk)
        return _first(plan, project)


def _first(plan: Plan, project: Copies) -> Outcome:
    """Both over a connection that is held already."""

    def ours() -> float:
        project.connect()
        project.aim()
        return project.target.rdo("true").time() * 1000

    def theirs() -> float:
        return project.rsync(f"peer{next(project.numbers)}").time() * 1000

    return compare(plan, ours, theirs, warm_ups=0)


def memory(plan: Plan) -> Outcome:
    """What a master holds to know of many files whether they have changed."""
    with copies(plan) as project:
        project.target.rdo("true").time()
        before = settled(plan.space.master_pid())
        make_files(project.here)
        for _ in range(3):
            project.target.rdo("true").time()
        after = settled(plan.space.master_pid())
        note = f"from {before:.1f} to {after:.1f} MiB, the first copy of 20,000 files included"
        return Outcome(plan.goal, (after - before,), note=note)
