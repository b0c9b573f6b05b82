"""What `rdo --sync-only` and `rdoctl sync` ask for: to copy files, or to tell what would be copied; no command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rdo.errors import FAILURE, RdoError, printable, without_middle
from rdo.fscodec import fsdecode, fsencode
from rdo.ipc import protocol
from rdo.master.command_caller import WaitingCaller
from rdo.sync.conflict import Difference

if TYPE_CHECKING:
    from rdo.master.command_sync import CommandSync

VERBS = ("both", "push", "pull", "take", "status", "diff")


def run(sync: CommandSync, caller: WaitingCaller, words: Sequence[str]) -> None:
    """Do it: nothing but both directions, or what `words` say. Raises RdoError, ClientGone."""
    verb, *rest = words or ["both"]
    if verb not in VERBS:
        raise RdoError(f"unknown request `{without_middle(verb)}`", "", "see `rdoctl sync --help`")
    lines: list[str] = []
    status = 0
    if verb != "pull":
        sync.sync.forget()  # no command's shell looks whether all is there still
    if verb in ("both", "push"):
        sync.before(caller)
    if verb in ("both", "pull"):
        status = sync.after(caller)
    if verb == "take":
        status = _take(sync, caller, rest)
    if verb in ("status", "diff"):
        differences = sync.sync.differences(sync.use(caller))
        lines = _differences(sync, differences) if verb == "diff" else _status(sync, differences, caller)
    if lines:
        sync.client.send(protocol.STARTED)
        sync.client.send(protocol.OUTPUT, "".join(f"{printable(line)}\n" for line in lines).encode())
    sync.client.send(protocol.EXIT, bytes([status]))


def _take(sync: CommandSync, caller: WaitingCaller, words: Sequence[str]) -> int:
    side, *paths = words
    if side == "here":
        sync.sync.take_here(sync.use(caller), [fsencode("" if path == "." else path) for path in paths])
        return 0
    fault = sync.pull_fault(sync.sync.take_there(sync.use(caller), list(map(fsencode, paths))))
    if fault is None:
        return 0
    caller.report(f"rdo: {fault}")
    return FAILURE


def _differences(sync: CommandSync, differences: Sequence[Difference]) -> list[str]:
    return [f"{each.there + ' there':18}{fsdecode(sync.seen(each.path))}" for each in differences]


def _status(sync: CommandSync, differences: Sequence[Difference], caller: WaitingCaller) -> list[str]:
    place = sync.sync.place
    tree = sync.sync.settle(caller)
    files = sum(entry.kind == "file" for entry in tree.values())
    counts: dict[str, int] = {}
    for each in differences:
        counts[each.there] = counts.get(each.there, 0) + 1
    there = ", ".join(f"{count:,} {kind}" for kind, count in sorted(counts.items())) or "the same"
    lines = [f"here   {place.root}: {files:,} files to push", f"there  {place.directory} on {place.target}: {there}"]
    return [*lines, f"pulls  {', '.join(place.rules.pull)}"] if place.rules.pull else lines
