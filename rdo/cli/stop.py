"""`rdoctl stop`: closes connections or ends control masters, and prints which."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from rdo.cli import known_words, masters, target_choice
from rdo.cli.declaration import Choice, Command, Option
from rdo.cli.masters import MasterInfo, TargetInfo
from rdo.cli.target_choice import Chosen
from rdo.errors import ConfigError, ConnectError, RdoError, UsageError, printable
from rdo.ipc import address
from rdo.util import process

END_TIMEOUT = 10.0
"""Seconds for a master to end if it waits for no command."""

KILL_TIMEOUT = 1.0
"""Seconds for a wedged master to end after SIGTERM, and then after SIGKILL."""


def run(target: str | None, every: bool, profile: str | None, now: bool) -> None:
    """Close the connections of this project, or the one to TARGET, once their commands have ended.

    TARGET is a name as `rdoctl status` shows it.
    """
    if every + (profile is not None) + (target is not None) > 1:
        raise UsageError("TARGET, `--all` and `--profile` cannot be used together", "", "use one of them")
    found = masters.found(address.runtime_directory(os.environ))
    stop = (
        partial(_end, now=now) if every else partial(_close, choose=target_choice.of(found, target, profile), now=now)
    )
    outcomes = [outcome for outcomes in masters.at_once(stop, found) for outcome in outcomes]
    failed = [outcome.line for outcome in outcomes if outcome.failed]
    done = [outcome.line for outcome in outcomes if not outcome.failed]
    if every and (cleared := _clear_leftovers()):
        done.append(f"removed {cleared} container{'s' if cleared > 1 else ''} of masters that were killed")
    if done:
        print("\n".join(done))
    if not outcomes and not done:
        print("nothing to stop")
    if failed:
        raise RdoError("; ".join(failed))


command = Command(
    "stop",
    run,
    (
        Choice("target", metavar="TARGET", offers=known_words.targets),
        Option("every", ("--all", "-a"), "Close all of your connections, and end the control master."),
        Option(
            "profile", ("--profile", "-p"), "Close only the connection of this profile.", "NAME", known_words.profiles
        ),
        Option("now", ("--now",), "End running commands as well."),
    ),
)


class StopOutcome(NamedTuple):
    """What happened to a target or a master, as a line to print."""

    line: str
    failed: bool = False


def _clear_leftovers() -> int:
    """Remove containers left by masters that were killed, if an engine answers. Returns how many."""
    from rdo.drivers.docker import leftovers

    try:
        return leftovers.remove_all(os.environ)
    except (ConfigError, ConnectError):
        return 0


def _close(master: MasterInfo, choose: Chosen, *, now: bool) -> list[StopOutcome]:
    """Close the chosen targets of one master."""
    if not master.answers:
        return [_kill(master, now)]
    chosen = [target for target in master.targets if choose(target)]
    if not chosen:
        return []
    answer = masters.stop(master, now, chosen)
    if answer and not answer.answers:
        return [_kill(master, now)]
    numbers = {target.number for target in chosen}
    left = [target for target in answer.targets if target.number in numbers] if answer else []
    return [_closed(name, [each for each in left if each.name == name]) for name in _names(chosen)]


def _names(targets: Sequence[TargetInfo]) -> list[str]:
    """Each name once: a target that is ending has the same name as its successor, or as that of another caller."""
    return list(dict.fromkeys(target.name for target in targets))


def _closed(name: str, left: Sequence[TargetInfo]) -> StopOutcome:
    if not left:
        return _done(f"closed `{name}`")
    return _done(f"`{name}` closes after {_count(sum(len(target.running) for target in left))}")


def _end(master: MasterInfo, *, now: bool) -> list[StopOutcome]:
    """End one master."""
    answer = masters.stop(master, now) if master.answers else master
    closed = [_done(f"closed `{name}`") for name in _names(master.targets)]
    if answer is None:
        return closed
    if not answer.answers:
        return [_kill(answer if answer.pid else master, forced=True)]
    if answer.running and not now:
        return [_done(f"the control master ends after {_count(len(answer.running))}")]
    if answer.pid is None or process.wait(answer.pid, END_TIMEOUT):
        return [*closed, _done("stopped the control master")]
    return [_done("the control master is ending")]


def _kill(master: MasterInfo, forced: bool) -> StopOutcome:
    name = printable(f"the control master at `{master.path}`")
    if not forced:
        return StopOutcome(f"{name} does not respond; use `rdoctl stop --now`", failed=True)
    if master.pid is None or not masters.is_master(master.pid):
        return StopOutcome(f"{name} does not respond, and its process could not be identified", failed=True)
    if not process.end(master.pid, KILL_TIMEOUT):
        return StopOutcome(f"{name} does not respond, and cannot be killed (process {master.pid})", failed=True)
    return _done(f"killed {name}")


def _count(commands: int) -> str:
    return f"{commands} running command{'s' if commands > 1 else ''}"


def _done(line: str) -> StopOutcome:
    return StopOutcome(printable(line))
