"""The rows about one control master for many projects and hosts."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.command import BenchmarkError, Command
from benchmarks.figures import Outcome
from benchmarks.interleave import interleave
from benchmarks.memory_rows import settled
from benchmarks.plan import Plan
from benchmarks.ssh_rows import compare, milliseconds
from benchmarks.target import ALIAS, Target, ssh_target

HOSTS, PROFILES = 3, 10

COMMANDS = 500

MANY_SESSIONS = ("MaxSessions 100",)

SWITCH_TIME = 0.2
"""Seconds for a stream to reach full speed or, once stopped, to fill every buffer on the way and stand still."""

BURST_TIMEOUT = 120.0
"""Seconds for all commands of a burst."""


def second_project(plan: Plan) -> Outcome:
    """The first command of a project on a host to which another project has a connection."""
    with ssh_target(plan.space) as target:
        warm = target.rdo("true")

        def first() -> float:
            other = plan.space.project("other", (target.project.directory / ".rdo.conf").read_text())
            environment = {**other.environment, **target.project.environment}
            return Command(warm.argv, other.directory, environment).time() * 1000

        return compare(plan, first, milliseconds(warm))


def new_host(plan: Plan) -> Outcome:
    """The first command to a host while the control master is running, which has to log in."""
    with ssh_target(plan.space) as target:
        command = target.rdo("true")

        def first() -> float:
            plan.space.rdoctl("stop", ALIAS)
            return command.time() * 1000

        command.time()
        pairs = interleave(first, milliseconds(target.ssh("true")), plan.repetitions, 1)
        return Outcome(plan.goal, pairs.ours, pairs.theirs)


def beside_stream(plan: Plan) -> Outcome:
    """A command during a stream at full speed from another host: whether they share more than the machine."""
    with _targets(plan) as (streaming, target, *_):
        command = milliseconds(target.rdo("true"))
        with _stream(streaming.rdo("cat", "/dev/zero")) as stream:

            def beside() -> float:
                stream.send_signal(signal.SIGCONT)
                time.sleep(SWITCH_TIME)
                return command()

            def alone() -> float:
                stream.send_signal(signal.SIGSTOP)
                time.sleep(SWITCH_TIME)
                return command()

            return compare(plan, beside, alone)


@contextlib.contextmanager
def _stream(command: Command) -> Iterator[subprocess.Popen[bytes]]:
    """A command that writes endlessly, and can be stopped and continued."""
    process = subprocess.Popen(
        command.argv, cwd=command.directory, env=dict(command.environment),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            process.kill()


def memory(plan: Plan) -> Outcome:
    """The memory of a master with ten profiles on three hosts, each of which was used a few times."""
    with _targets(plan) as targets:
        for number in range(PROFILES):
            target = targets[number % HOSTS]
            text = (target.project.directory / ".rdo.conf").read_text() + f'env = {{ NUMBER = "{number}" }}\n'
            project = plan.space.project(f"profile{number}", text)
            for _ in range(3):
                command = target.rdo("true")
                Command(command.argv, project.directory, command.environment).time()
        return Outcome(plan.goal, (settled(plan.space.master_pid()),))


def burst(plan: Plan) -> Outcome:
    """How many of many commands that are started at once on three hosts are lost."""
    with _targets(plan, MANY_SESSIONS) as targets:
        for target in targets:
            target.rdo("true").time()
        lost = [COMMANDS - _answered(targets) for _ in range(plan.repetitions)]
        return Outcome(plan.goal, tuple(map(float, lost)))


@contextlib.contextmanager
def _targets(plan: Plan, settings: tuple[str, ...] = ()) -> Iterator[list[Target]]:
    with contextlib.ExitStack() as ends:
        yield [ends.enter_context(ssh_target(plan.space, settings=settings)) for _ in range(HOSTS)]


def _answered(targets: list[Target]) -> int:
    """Start all commands, then wait for them. Returns how many print their number and succeed."""
    started = []
    for number in range(COMMANDS):
        command = targets[number % HOSTS].rdo("echo", str(number))
        started.append(
            subprocess.Popen(
                command.argv, cwd=Path(command.directory), env=dict(command.environment),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            )
        )  # fmt: skip
    try:
        outputs = [process.communicate(timeout=BURST_TIMEOUT)[0] for process in started]
    except subprocess.TimeoutExpired:
        raise BenchmarkError(f"a command took more than {BURST_TIMEOUT:.0f} s") from None
    finally:
        for process in started:
            process.kill()
    return sum(
        output == f"{number}\n".encode() and process.returncode == 0
        for number, (output, process) in enumerate(zip(outputs, started, strict=True))
    )
