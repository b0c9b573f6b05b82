"""The rows that measure CPU time instead of elapsed time, of the client and of its master."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import time
from pathlib import Path

from benchmarks.command import BenchmarkError, Command
from benchmarks.figures import Outcome
from benchmarks.interleave import COMMAND_INTERVAL, WARM_UPS, interleave
from benchmarks.plan import Plan
from benchmarks.target import LOGIN_TIMEOUT, Target, control_master, ssh_target

COMMANDS = 10
"""Commands in a sample: a master does part of its work for a command after the command has ended."""


def warm(plan: Plan) -> Outcome:
    """The CPU time that a command takes from everything else."""
    with ssh_target(plan.space) as target, control_master(target) as held:
        ours, theirs = target.rdo("true"), target.ssh("true", held=held)
        for _ in range(WARM_UPS):
            ours.time()
        our_master, their_master = plan.space.master_pid(), _ssh_master(target, held)
        pairs = interleave(lambda: _cpu(ours, our_master), lambda: _cpu(theirs, their_master), plan.repetitions)
        return Outcome(plan.goal, pairs.ours, pairs.theirs)


def client(plan: Plan) -> Outcome:
    """The CPU time of the client, from exec to exit."""
    with ssh_target(plan.space) as target:
        ours, least = target.rdo("true"), Command(("/bin/true",), target.project.directory, {})
        pairs = interleave(lambda: ours.cpu() * 1000, lambda: least.cpu() * 1000, plan.repetitions)
        return Outcome(plan.goal, pairs.ours, pairs.theirs)


def _cpu(command: Command, master: int) -> float:
    """Milliseconds of CPU time for a command: its own, and that of its master."""
    before, own = used(master), 0.0
    for _ in range(COMMANDS):
        own += command.cpu()
        time.sleep(COMMAND_INTERVAL)
    return (own + used(master) - before) / COMMANDS * 1000


def used(process: int) -> float:
    """Seconds of CPU time that another process has used so far. Raises BenchmarkError."""
    clock = ctypes.c_int()
    if ctypes.CDLL(None).clock_getcpuclockid(process, ctypes.byref(clock)) != 0:
        raise BenchmarkError(f"no clock for the CPU of process {process}")
    return time.clock_gettime(clock.value)


def _ssh_master(target: Target, held: Path) -> int:
    """The process ID of OpenSSH's master. Raises BenchmarkError."""
    command = target.ssh(held=held)
    program, *rest = command.argv
    done = subprocess.run(
        [program, "-O", "check", *rest], env=dict(command.environment), capture_output=True, text=True,
        timeout=LOGIN_TIMEOUT, check=False, cwd=os.sep,
    )  # fmt: skip
    found = re.search(r"pid=(\d+)", done.stderr)
    if found is None:
        raise BenchmarkError(f"no ControlMaster: {done.stderr.strip()}")
    return int(found[1])
