"""The rows about sync: how long a command waits for it, compared with rsync over a held connection."""

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
    """A project that rdo and rsync copy to a target, each to its own directories."""

    target: Target
    held: Path
    numbers: Iterator[int]

    @property
    def here(self) -> Path:
        return self.target.project.directory

    def aim(self) -> None:
        """Have rdo push to a directory that does not exist yet."""
        self._configure(f'directory = "{self.target.home}/rdo{next(self.numbers)}"\nsync = "push"\n')

    def connect(self) -> None:
        """Have rdo open a connection without copying anything."""
        self._configure(f'directory = "{self.target.home}"\n')
        self.target.rdo("true").time()

    def _configure(self, text: str) -> None:
        (self.here / ".rdo.conf").write_text(f'driver = "ssh"\nhost = "{ALIAS}"\n{text}')

    def rsync(self, directory: str) -> Command:
        """Copy the whole project by rsync, over the held connection."""
        shell = shlex.join(self.target.ssh(held=self.held).argv[:-1])
        place = f"{ALIAS}:{self.target.home}/{directory}/"
        return self.target.project.command("rsync", "-a", "--delete", "--exclude=.git", "-e", shell, "./", place)

    def rsync_and_run(self, directory: str) -> Command:
        """Copy by rsync, then run a command."""
        both = (self.rsync(directory).argv, self.target.ssh("true", held=self.held).argv)
        return self.target.project.command("sh", "-c", " && ".join(map(shlex.join, both)))


@contextlib.contextmanager
def copies(plan: Plan, delay: float = 0.0) -> Iterator[Copies]:
    """A target and an empty project. Raises Skipped."""
    if shutil.which("rsync") is None:
        raise Skipped("rsync is not installed")
    with ssh_target(plan.space, delay=delay) as target, control_master(target) as held:
        made = Copies(target, held, itertools.count(1))
        made.aim()
        yield made


def clean(plan: Plan) -> Outcome:
    """The time that sync adds to a command if nothing has changed."""
    with copies(plan) as project:
        make_files(project.here)
        with_sync, without = (project.target.rdo(*words, "true") for words in ((), ("--no-sync",)))
        pairs = interleave(milliseconds(with_sync), milliseconds(without), plan.repetitions)
        more = tuple(one - other for one, other in zip(pairs.ours, pairs.theirs, strict=True))
        project.rsync("peer").time()
        peer = spread([project.rsync("peer").time() * 1000 for _ in range(plan.repetitions // 5)]).middle
        return Outcome(plan.goal, more, note=f"`rsync -a`, which finds nothing to copy either, takes {peer:.0f} ms")


def edited(plan: Plan) -> Outcome:
    """A command after one file was saved."""
    return _edited(plan)


def edited_delayed(plan: Plan) -> Outcome:
    """The same with a delay, which shows the number of round trips."""
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
    """A first copy by both sides, over open connections."""

    def ours() -> float:
        project.connect()
        project.aim()
        return project.target.rdo("true").time() * 1000

    def theirs() -> float:
        return project.rsync(f"peer{next(project.numbers)}").time() * 1000

    return compare(plan, ours, theirs, warm_ups=0)


def memory(plan: Plan) -> Outcome:
    """The memory that a master needs to notice changes of many files."""
    with copies(plan) as project:
        project.target.rdo("true").time()
        before = settled(plan.space.master_pid())
        make_files(project.here)
        for _ in range(3):
            project.target.rdo("true").time()
        after = settled(plan.space.master_pid())
        note = f"from {before:.1f} to {after:.1f} MiB, the first copy of 20,000 files included"
        return Outcome(plan.goal, (after - before,), note=note)
