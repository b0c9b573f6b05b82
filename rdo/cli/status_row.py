"""What people need to know about a target and its control master, in words. Pure."""

from __future__ import annotations

import os.path
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rdo.cli import table
from rdo.cli.masters import MasterInfo, TargetInfo
from rdo.errors import printable

COMMAND_LIMIT = 6
"""The most running commands of a target that are shown."""

DETAIL_LIMIT = 3
"""The most differences between targets of one name that are shown."""


class StatusRow(NamedTuple):
    """A row of the table, for a target. `doing` has its running commands, or a remark if there are none, and its
    forwards."""

    target: str
    profiles: tuple[str, ...]
    doing: tuple[str, ...]
    is_busy: bool
    connections: str
    open_for: str
    projects: tuple[str, ...]
    """The config files of the projects."""


def status_row(target: TargetInfo, directory: str, home: str) -> StatusRow:
    """Make the row of a target, with paths relative to `directory`, whose links are resolved."""
    return StatusRow(
        target.name,
        tuple(dict.fromkeys(each["profile"] for each in target.profiles)),
        tuple(_doing(target)),
        bool(target.running),
        str(target.connections),
        table.duration(target.age),
        tuple(dict.fromkeys(_project(each["config"], target, directory, home) for each in target.profiles)),
    )


def told_apart(targets: Sequence[TargetInfo]) -> list[TargetInfo]:
    """The same targets; if several have the same name, their differences are appended to it."""
    return [each._replace(name=f"{each.name}{_apart(each, targets)}") for each in targets]


def _apart(target: TargetInfo, targets: Sequence[TargetInfo]) -> str:
    namesakes = [each for each in targets if each.name == target.name]
    names = dict.fromkeys(name for each in namesakes for name in each.details)
    differing = [name for name in names if len({each.details.get(name) for each in namesakes}) > 1]
    facts = [f"{name} {target.details.get(name) or 'unset'}" for name in differing]
    left = [f"and {len(facts) - DETAIL_LIMIT} more"] if len(facts) > DETAIL_LIMIT else []
    return f" ({', '.join([*facts[:DETAIL_LIMIT], *left])})" if facts else ""


def _project(config: str, target: TargetInfo, directory: str, home: str) -> str:
    """The config file, and where the project's files are copied to, if they are."""
    copied = [each["directory"] for each in target.syncs if each["root"] == os.path.dirname(config)]
    return " ".join([short(config, directory, home), *(f"(files: {each})" for each in copied)])


def master_line(master: MasterInfo, memory: int | None) -> str:
    """The line for a control master that uses `memory` bytes of RAM."""
    if not master.answers:
        known = f" (process {master.pid})" if master.pid else ""
        return printable(f"the control master at {master.path}{known} does not answer; `rdoctl stop --all` ends it")
    waiting = len(master.running) - sum(len(target.running) for target in master.targets)
    facts = [f"process {master.pid}", table.mebibytes(memory), f"up {table.duration(master.age)}"]
    facts += [f"{waiting} waiting to connect"] if waiting > 0 else []
    facts += ["ending"] if master.report["ending"] else []
    return f"control master: {', '.join(facts)}"


def short(path: str, directory: str, home: str) -> str:
    """The path relative to the directory if it is in, above or below that; else with `~` for the home directory."""
    place = os.path.dirname(path)
    if f"{place}/".startswith(f"{directory}/") or f"{directory}/".startswith(f"{place}/"):
        return os.path.relpath(path, directory)
    return f"~{path[len(home) :]}" if home and path.startswith(f"{home}/") else path


def _doing(target: TargetInfo) -> Iterator[str]:
    running = target.running
    yield from running[:COMMAND_LIMIT]
    if len(running) > COMMAND_LIMIT:
        yield f"and {len(running) - COMMAND_LIMIT} more"
    if target.ending:
        yield "(closing afterwards)" if running else "closing"
    elif not running:
        yield "idle" if target.idle_left is None else f"idle, {table.duration(target.idle_left)} left"
    if count := len(target.forwards):
        yield f"{count} port{'s' if count > 1 else ''} forwarded"
