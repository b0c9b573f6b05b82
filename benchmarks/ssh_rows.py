"""The rows whose target is an sshd."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace

from benchmarks.command import Command
from benchmarks.figures import Outcome, spread
from benchmarks.interleave import WARM_UPS, Sample, interleave
from benchmarks.plan import Plan
from benchmarks.target import DELAY, Target, control_master, ssh_target

COMMANDS, AT_A_TIME = 200, 16
RECIPE_LINES = 500
MANY_SESSIONS = ("MaxSessions 100",)


def milliseconds(command: Command) -> Sample:
    """A function that runs the command and returns how many milliseconds it took."""
    return lambda: command.time() * 1000


def warm_python(plan: Plan) -> Outcome:
    """rdo compared with the minimum for a program in Python."""
    with ssh_target(plan.space) as target:
        python = target.project.command("python", "-c", "pass")
        return compare(plan, milliseconds(target.rdo("true")), milliseconds(python))


def warm_fallback(plan: Plan) -> Outcome:
    """The same for the client in Python."""
    with ssh_target(plan.space) as target:
        python = target.project.command("python", "-c", "pass")
        ours = target.project.command(str(plan.space.fallback / "rdo"), "true")
        return compare(plan, milliseconds(ours), milliseconds(python))


def warm_ssh(plan: Plan) -> Outcome:
    """A warm command without any delay."""
    return _warm(plan)


def warm_bash(plan: Plan) -> Outcome:
    """A warm command with a slow .bashrc, for which ssh waits each time."""
    return _warm(plan, slow=True)


def warm_delayed(plan: Plan) -> Outcome:
    """A warm command with a delay, which shows the number of round trips."""
    return _warm(plan, delay=DELAY)


def _warm(plan: Plan, slow: bool = False, delay: float = 0.0) -> Outcome:
    with ssh_target(plan.space, slow, delay) as target, control_master(target) as held:
        return compare(plan, milliseconds(target.rdo("true")), milliseconds(target.ssh("true", held=held)))


def cold(plan: Plan) -> Outcome:
    """The first command, which starts the master and logs in."""
    return _cold(plan, 0.0)


def cold_delayed(plan: Plan) -> Outcome:
    """The first command with a delay, which shows the round trips of a login."""
    return _cold(plan, DELAY)


def _cold(plan: Plan, delay: float) -> Outcome:
    with ssh_target(plan.space, delay=delay) as target:
        command = target.rdo("true")

        def first() -> float:
            plan.space.stop_masters()
            return command.time() * 1000

        return compare(plan, first, milliseconds(target.ssh("true")), warm_ups=1)


def parallel(plan: Plan) -> Outcome:
    """Many commands at once, as with `make -j16`."""
    with ssh_target(plan.space, settings=MANY_SESSIONS) as target, control_master(target) as held:
        ours, theirs = _many(target, target.rdo("true")), _many(target, target.ssh("true", held=held))
        outcome = compare(plan, milliseconds(ours), milliseconds(theirs), warm_ups=1)
        bare = _many(target, target.project.command("python", "-S", "-c", "import posix; posix._exit(0)"))
        least = spread([bare.time() * 1000 for _ in range(plan.repetitions)]).middle
        part = least / spread(outcome.theirs).middle
        note = f"starting Python as many times, to do nothing, takes {least:.0f} ms, a ratio of {part:.2f}"
        return replace(outcome, note=note)


def make(plan: Plan) -> Outcome:
    """A Makefile whose recipes all run on the target."""
    with ssh_target(plan.space, settings=MANY_SESSIONS) as target, control_master(target) as held:
        script = target.project.directory / "shell"
        script.write_text(f'#!/bin/sh\nshift # -c\nexec {shlex.join(target.ssh(held=held).argv)} "$@"\n')
        script.chmod(0o755)
        lines = f"all: $(addprefix line,$(shell seq {RECIPE_LINES}))\nline%:\n\t@: $@\n"
        (target.project.directory / "Makefile").write_text(lines)

        def made(shell: str) -> Command:
            return target.project.command("make", "-s", "-j8", f"SHELL={shell}")

        ours = made(target.rdo().argv[0])
        return compare(plan, milliseconds(ours), milliseconds(made(str(script))), warm_ups=1)


def _many(target: Target, command: Command) -> Command:
    """A command that runs another one many times."""
    numbers = target.project.directory / "numbers"
    numbers.write_text("".join(f"{number}\n" for number in range(COMMANDS)))
    words = f'exec xargs -P {AT_A_TIME} -I NUMBER "$@" <"{numbers}"'
    return target.project.command("sh", "-c", words, "xargs", *command.argv)


def bulk_out(plan: Plan) -> Outcome:
    """A long output."""
    words = ("head", "-c", str(plan.bulk), "/dev/zero")
    return _bulk(plan, words, lambda command: command.drain(plan.bulk))


def bulk_in(plan: Plan) -> Outcome:
    """A long input."""
    return _bulk(plan, ("cat >/dev/null",), lambda command: command.fill(plan.bulk))


def _bulk(plan: Plan, words: tuple[str, ...], move: Callable[[Command], float]) -> Outcome:
    def speed(command: Command) -> Sample:
        return lambda: plan.bulk / move(command) / 1e6

    with ssh_target(plan.space) as target, control_master(target) as held:
        ours = target.rdo("-c", " ".join(words))  # with a shell on both sides, since sshd starts one anyway
        return compare(plan, speed(ours), speed(target.ssh(*words, held=held)), warm_ups=1)


def compare(plan: Plan, ours: Sample, theirs: Sample, warm_ups: int = WARM_UPS) -> Outcome:
    """Measure both sides in turns."""
    pairs = interleave(ours, theirs, plan.repetitions, warm_ups)
    return Outcome(plan.goal, pairs.ours, pairs.theirs)
