"""The rows about what a control master has in RAM."""

from __future__ import annotations

import subprocess
import time

from benchmarks.command import BenchmarkError
from benchmarks.figures import Outcome
from benchmarks.plan import GIB, Plan
from benchmarks.target import Target, ssh_target

SETTLE_TIMEOUT = 10.0
SETTLE_INTERVAL = 0.5
"""Seconds between two looks: the memory has settled once they agree."""

COMMANDS = 20
"""So that what a master imports on demand is there, and its warm shells."""


def idle(plan: Plan) -> Outcome:
    """After some commands."""
    with ssh_target(plan.space) as target:
        return Outcome(plan.goal, (settled(_used_master(plan, target)),))


def growth(plan: Plan) -> Outcome:
    """By long streams: 1 GB at a time, since a leak grows with the bytes, not with the commands."""
    with ssh_target(plan.space) as target:
        pid = _used_master(plan, target)
        before = settled(pid)
        for _ in range(plan.flood // GIB):
            target.rdo("head", "-c", str(GIB), "/dev/zero").drain(GIB)
            target.rdo("-c", "cat >/dev/null").fill(GIB)
        after = settled(pid)
        note = f"from {before:.1f} to {after:.1f} MiB; {plan.flood // GIB} GB each way"
        return Outcome(plan.goal, (after - before,), note=note)


def _used_master(plan: Plan, target: Target) -> int:
    for _ in range(COMMANDS):
        target.rdo("true").time()
    return plan.space.master_pid()


def settled(pid: int) -> float:
    """MiB that the process has in RAM, once that no longer changes."""
    deadline = time.monotonic() + SETTLE_TIMEOUT
    seen = _resident(pid)
    while time.monotonic() < deadline:
        time.sleep(SETTLE_INTERVAL)
        before, seen = seen, _resident(pid)
        if seen == before:
            break
    return seen


def _resident(pid: int) -> float:
    done = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=False, timeout=SETTLE_TIMEOUT
    )
    if not done.stdout.strip():
        raise BenchmarkError("the control master has ended")
    return int(done.stdout) / 1024
