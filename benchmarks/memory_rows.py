"""The rows about the memory of a control master."""

from __future__ import annotations

import subprocess
import time

from benchmarks.command import BenchmarkError
from benchmarks.figures import Outcome
from benchmarks.plan import GIB, Plan
from benchmarks.target import Target, ssh_target

SETTLE_TIMEOUT = 10.0
SETTLE_INTERVAL = 0.5
"""Seconds between two readings. The memory has settled once two are the same."""

COMMANDS = 20
"""Commands to run first, so that the master has imported what it needs, and opened its warm shells."""


def idle(plan: Plan) -> Outcome:
    """The memory after some commands."""
    with ssh_target(plan.space) as target:
        return Outcome(plan.goal, (settled(_used_master(plan, target)),))


def growth(plan: Plan) -> Outcome:
    """The growth by long streams: of 1 GB each, since a leak would depend on the bytes rather than the commands."""
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
    """MiB of RAM that the process uses, once that no longer changes."""
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
