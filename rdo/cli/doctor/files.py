"""The checks of `rdoctl doctor` for a project whose files are copied to the target."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence

from rdo.cli.doctor.check import Check, Finding, failed, ok, warning
from rdo.cli.doctor.target import TargetCommands
from rdo.config.load import Config
from rdo.sync import rules
from rdo.sync.local_tree import LocalTree
from rdo.util.phrases import listed

SKEW_LIMIT = 1.0
"""Seconds by which the clocks of both sides may differ without harm: make compares times of pushed and built files."""

TOOL = 'command -v "$1" >/dev/null || echo no'


def checks(config: Config) -> Iterator[Check]:
    """The checks for the way that the profile's files are copied; none if they are not."""
    if config.settings.sync == "no":
        return
    commands = TargetCommands(config)
    tools = ["tar", "stat", *(["find"] if config.settings.pull else [])]
    if config.settings.sync != "push":
        tools = [config.settings.sync]
    yield Check("clocks", lambda: clocks(commands), needs=("login",))
    yield Check("programs to copy files", lambda: programs(commands, tools), needs=("login",))
    if config.settings.sync == "push":
        yield Check("files here", lambda: watches(config))


def clocks(commands: TargetCommands) -> Finding:
    """Whether both sides have the same time."""
    before = time.time()
    answer = commands.run("--dir", ".", "date", "+%s")
    after = time.time()
    if answer.status or not answer.output.isdigit():
        return failed("cannot run `date` on the target", "type `rdo --dir . date`")
    return skew(before, int(answer.output), after)


def skew(before: float, there: int, after: float) -> Finding:
    """What it means that the target had this time, in whole seconds, between two times here."""
    ahead, behind = there - after, before - (there + 1)
    if max(ahead, behind) <= SKEW_LIMIT:
        return ok("both sides have the same time")
    how = f"{ahead:.0f} s ahead" if ahead > behind else f"{behind:.0f} s behind"
    return warning(f"the target's clock is {how}", "set both clocks; otherwise, make rebuilds too little or too much")


def programs(commands: TargetCommands, tools: Sequence[str]) -> Finding:
    """Whether the target has the programs it needs, and this machine, if that needs the same."""
    for tool in tools:
        if commands.run("--dir", ".", "-c", TOOL, "sh", tool).output == "no":
            return failed(f"the target has no `{tool}`", f"install `{tool}` there, or use `rdo --no-sync`")
        if tool == "unison" and not shutil.which(tool):
            return failed(f"`{tool}` is not installed here", "install it")
    names = " and ".join(listed(tools).rsplit(", ", 1))
    return ok(f"{names} {'is' if len(tools) == 1 else 'are'} there")


def watches(config: Config) -> Finding:
    """Whether the project's directory can be watched, so that not all files have to be examined each time."""
    complaints: list[str] = []
    local = LocalTree(config.root, rules.rules_of(config.settings), complaints.append)
    try:
        tree = local.settle(os.environ)
    finally:
        local.close()
    if complaints:
        what, _, remedy = complaints[0].partition("; ")
        return warning(what, remedy)
    return ok(f"{sum(entry.kind == 'file' for entry in tree.values()):,} files to copy; they are watched for changes")
