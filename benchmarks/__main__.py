"""`python -m benchmarks`: measures, and prints a table. Progress goes to stderr."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from benchmarks import (
    container_rows,
    cpu_rows,
    forward_rows,
    machine,
    mapping_rows,
    memory_rows,
    report,
    sharing_rows,
    ssh_rows,
    sync_rows,
)
from benchmarks.command import BenchmarkError, Skipped
from benchmarks.figures import Outcome
from benchmarks.goals import GOALS, Goal
from benchmarks.install import TREE
from benchmarks.interleave import COMMAND_INTERVAL
from benchmarks.plan import Measure, Plan
from benchmarks.workspace import Workspace, workspace

MEASURES: Mapping[str, Measure] = {
    "warm-ssh": ssh_rows.warm_ssh,
    "warm-cpu": cpu_rows.warm,
    "warm-python": ssh_rows.warm_python,
    "warm-fallback": ssh_rows.warm_fallback,
    "client-cpu": cpu_rows.client,
    "warm-bash": ssh_rows.warm_bash,
    "warm-50ms": ssh_rows.warm_delayed,
    "cold-ssh": ssh_rows.cold,
    "cold-50ms": ssh_rows.cold_delayed,
    "parallel": ssh_rows.parallel,
    "make": ssh_rows.make,
    "bulk-out": ssh_rows.bulk_out,
    "bulk-in": ssh_rows.bulk_in,
    "docker": container_rows.docker,
    "vagrant": container_rows.vagrant,
    "mapper": mapping_rows.mapper,
    "memory-idle": memory_rows.idle,
    "memory-growth": memory_rows.growth,
    "second-project": sharing_rows.second_project,
    "new-host": sharing_rows.new_host,
    "beside-stream": sharing_rows.beside_stream,
    "memory-many": sharing_rows.memory,
    "sync-clean": sync_rows.clean,
    "sync-edit": sync_rows.edited,
    "sync-edit-50ms": sync_rows.edited_delayed,
    "sync-first": sync_rows.first,
    "sync-large": sync_rows.first_large,
    "memory-sync": sync_rows.memory,
    "forward": forward_rows.throughput,
    "requests": forward_rows.requests,
    "reachable": forward_rows.reachable,
    "watch-here": forward_rows.watching_here,
    "watch-there": forward_rows.watching_there,
    "burst": sharing_rows.burst,
}

HOW = (
    "Each row compares whole commands, run alternately on both sides with a pause of {pause:.0f} ms, as a person or a"
    " Makefile would leave, which is also enough for a warm shell to be replaced. The table shows medians, with"
    " quartiles in brackets. The ratio is that of the medians; its brackets contain the quartiles of the ratios of the"
    " single runs."
)


def main() -> int:
    """The exit status: 0 if every requested row was measured, or skipped for a reason."""
    options = parse(sys.argv[1:])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    described = machine.describe()
    started = time.monotonic()
    outcomes: list[Outcome] = []
    broken = False
    try:
        say("installing rdo from a wheel")
        with workspace() as space:
            for goal in options.goals:
                outcome = measure(space, goal, options.quick)
                outcomes.append(outcome)
                broken |= outcome.skipped.startswith("failed")
    except KeyboardInterrupt:
        say("interrupted")
        return 128 + signal.SIGINT
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    say(f"done in {time.monotonic() - started:.0f} s")
    quick = " A quick run: few repetitions, 256 MiB instead of 1 GB." if options.quick else ""
    heading = machine.sentence(described) + quick
    text = f"{heading}\n\n{report.table(outcomes)}\n\n{HOW.format(pause=COMMAND_INTERVAL * 1000)}"
    print(text)
    if options.json:
        Path(options.json).write_text(report.as_json(outcomes, described))
    if options.readme and not broken:
        readme = TREE / "README.md"
        readme.write_text(report.insert(readme.read_text(), text))
    return int(broken)


def parse(words: list[str]) -> argparse.Namespace:
    """Parse the options. `goals` has the rows to measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="rdo beside what else there is.")
    parser.add_argument("--quick", action="store_true", help="a minute and a half, for a first look")
    parser.add_argument("--json", metavar="FILE", type=os.path.abspath, help="write all samples there")
    parser.add_argument("--readme", action="store_true", help="put the table of a whole run into README.md")
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"rows: {', '.join(MEASURES)} (default: all)")
    options = parser.parse_args(words)
    if unknown := set(options.names) - set(MEASURES):
        parser.error(f"no row `{min(unknown)}`; there are {', '.join(MEASURES)}")
    if options.readme and (options.quick or options.names):
        parser.error("--readme needs a whole run: neither --quick nor names")
    options.goals = [goal for goal in GOALS if not options.names or goal.key in options.names]
    return options


def measure(space: Workspace, goal: Goal, quick: bool) -> Outcome:
    """Measure one row. If it fails, the others are still measured."""
    say(goal.key, end=" ")
    started = time.monotonic()
    try:
        outcome = MEASURES[goal.key](Plan(space, goal, quick))
    except Skipped as reason:
        outcome = Outcome(goal, skipped=str(reason))
    except BenchmarkError as error:
        outcome = Outcome(goal, skipped=f"failed: {error}")
    cells = [cell for cell in (*report.cells(outcome)[2:], outcome.skipped) if cell]
    say(f"[{time.monotonic() - started:.0f} s] {' | '.join(cells)}")
    return outcome


def interrupt(_number: int, _frame: FrameType | None) -> None:
    """End everything that was started. Further Ctrl-C is ignored meanwhile."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def say(text: str, end: str = "\n") -> None:
    """Print a line about the progress."""
    print(text, end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
