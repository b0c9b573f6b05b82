"""`rdoctl stop`: ends control masters, and reports which."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from rdo import project
from rdo.cli import masters, process, profiles
from rdo.cli.declaration import Command, LeftToClick, Option
from rdo.cli.masters import MasterInfo
from rdo.errors import ConfigError, ConnectError, RdoError, printable
from rdo.ipc import address

END_TIMEOUT = 10.0
"""Seconds for a master to be gone that waits for no command: it closes its channels, which takes one round trip, and
with `--now` allows commands the time to act on TERM."""

KILL_TIMEOUT = 1.0
"""Seconds for a wedged master to end by TERM, and then by KILL."""


def run(every: bool, profile: str | None, now: bool) -> None:
    """Close the connections of this project, once their commands have ended."""
    if every and profile:
        raise LeftToClick("--all and --profile cannot be used together")
    directory = address.runtime_directory(os.environ)
    found = masters.found(directory)
    chosen = found if every else _of_this_directory(found, directory, profile)
    failed = []
    with ThreadPoolExecutor(masters.MOST_AT_ONCE) as pool:  # several that take their time cost no more than one
        for outcome in pool.map(partial(_stop, now=now, forced=every or now), chosen):
            if outcome.failed:
                failed.append(outcome.line)
            else:
                print(outcome.line)
    cleared = _clear_leftovers() if every else 0
    if not chosen and not cleared:
        print("nothing to stop")
    if failed:
        raise RdoError("; ".join(failed))


command = Command(
    "stop",
    run,
    (
        Option("every", ("--all", "-a"), "Close all of your connections, not only those of this project."),
        Option("profile", ("--profile", "-p"), "Close only the connection of this profile.", "NAME"),
        Option("now", ("--now",), "End running commands as well."),
    ),
)


def _clear_leftovers() -> int:
    """Remove the containers of masters that were killed, if there is an engine to ask: how many."""
    from rdo.drivers.docker.driver import remove_leftover_containers

    try:
        cleared = remove_leftover_containers(os.environ)
    except (ConfigError, ConnectError):
        return 0
    if cleared:
        print(f"removed {cleared} container{'s' if cleared > 1 else ''} of masters that were killed")
    return cleared


def _of_this_directory(found: list[MasterInfo], directory: str, profile: str | None) -> list[MasterInfo]:
    """The masters of the nearest config file; those that do not answer are known by their socket."""
    here = project.discover(os.environ)
    names = [profile] if profile else profiles.names(here)
    paths = [address.socket_path(directory, here.config, name, os.environ) for name in names]
    return [
        master
        for master in found
        if os.path.splitext(master.path)[0] in paths
        or (master.report.get("config") == here.config and profile in (None, master.report["profile"]))
    ]


class StopOutcome(NamedTuple):
    """What became of one master, in a line."""

    line: str
    failed: bool = False


def _stop(master: MasterInfo, *, now: bool, forced: bool) -> StopOutcome:
    """Stop one master."""
    answer = masters.stop(master, now) if master.answers else master
    if answer is None:
        return _done("had already ended", master)
    if not answer.answers:
        return _kill(answer if answer.pid else master, forced)
    if answer.running and not now:
        count = len(answer.running)
        return _done(f"ends after {count} running command{'s' if count > 1 else ''}:", answer)
    if answer.pid is None or process.wait(answer.pid, END_TIMEOUT):
        return _done("stopped", answer)
    return _done("is ending:", answer)


def _kill(master: MasterInfo, forced: bool) -> StopOutcome:
    name = printable(master.name)
    if not forced:
        return StopOutcome(f"{name} does not respond; use `rdoctl stop --now`", failed=True)
    if master.pid is None or not masters.is_master(master.pid):
        return StopOutcome(f"{name} does not respond, and its process could not be identified", failed=True)
    if not process.end(master.pid, KILL_TIMEOUT):
        return StopOutcome(f"{name} does not respond, and cannot be killed (process {master.pid})", failed=True)
    return _done("killed", master)


def _done(what: str, master: MasterInfo) -> StopOutcome:
    return StopOutcome(printable(f"{what} {master.name}"))
