"""Copies the files of a command's project to the target before the command starts, and back after it has ended."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from rdo import plan
from rdo.config.load import Config
from rdo.config.schema import Settings
from rdo.drivers.base import Driver
from rdo.drivers.root import Root
from rdo.errors import FAILURE, RdoError, printable, without_middle
from rdo.fscodec import fsdecode, fsencode
from rdo.ipc import protocol
from rdo.ipc.request import Request
from rdo.master.client_connection import ClientConnection
from rdo.master.command_caller import CommandEnded, StartedCaller, WaitingCaller
from rdo.paths.mapping import PathMapping
from rdo.pool.shell import Shell
from rdo.pool.shell_job import JobUse
from rdo.pool.target_table import TargetUse
from rdo.remote_sh.script import Copied
from rdo.sync import rules
from rdo.sync.conflict import Difference, SyncConflict, named
from rdo.sync.patterns import claimed_twice
from rdo.sync.project_sync import ProjectSync, SyncPlace
from rdo.sync.pulling import WITHHELD, Pulling, PullResult
from rdo.sync.unison import UnisonPlace

VERBS = ("both", "push", "pull", "take", "status", "diff")
"""The actions of `rdoctl sync`; the first is that of `rdo --sync-only`."""


def user(settings: Settings) -> str:
    """The user who owns the files on the target, whoever a single command runs as; empty for the connection's user."""
    return plan.ROOT if settings.use_sudo else ""


def place_of(config: Config, driver: Driver, roots: Sequence[Root], target: str) -> SyncPlace:
    """Which files are copied, and where to. Raises ConfigError."""
    origin = config.origins["sync"]
    if how := driver.sharing():
        why = f"`sync` cannot copy to `{target}`, which has this directory already: {how}"
        raise origin.error(why, "remove `sync`")
    if twice := claimed_twice(config.settings.include, config.settings.pull):
        raise config.origins["pull"].error(f"`pull` and `include` both name `{twice}`", "remove it from one of them")
    if withheld := next((each for each in config.settings.pull if Pulling.is_protected(fsencode(each))), ""):
        raise config.origins["pull"].error(f"`pull` names `{withheld}`, but {WITHHELD}", "remove it from `pull`")
    directory = PathMapping(roots).to_remote(config.root)
    if directory is None:
        directory = config.require_directory()
    if config.settings.driver == "local":
        _check_apart(config, directory)
    return SyncPlace(config.root, directory, target, rules.rules_of(config.settings))


def _check_apart(config: Config, directory: str) -> None:
    here, there = os.path.realpath(config.root), os.path.realpath(directory)
    if os.path.commonpath((here, there)) in (here, there):
        why = f"`directory` is this directory, or one of the two is in the other: `{directory}`"
        raise config.origins["directory"].error(why, "set another `directory`, or remove `sync`")


def unison_place(config: Config, driver: Driver, place: SyncPlace) -> UnisonPlace:
    """The same for unison."""
    host = config.settings.host or driver.target.rpartition(" ")[2]
    return UnisonPlace(place.root, place.directory, host, config.profile, place.target)


class CommandSync(NamedTuple):
    """Copies the files of one command."""

    sync: ProjectSync
    client: ClientConnection
    request: Request
    target: TargetUse
    sudo: str
    """The user to copy files as through sudo on the target."""
    user: str
    """The user to copy files as, for a driver that switches users itself."""
    is_by_another: bool
    """Whether that user is another than the command's."""

    def use(self, caller: WaitingCaller) -> JobUse:
        """A context for work on the target while this caller waits."""
        return JobUse(self.target.pool.shells, caller, lambda: self.target.target.options(caller, None), self.sudo)

    def before(self, caller: WaitingCaller) -> None:
        """Bring the target up to date with this machine. Raises RdoError, ClientGone."""
        try:
            self.sync.push(self.use(caller))
        except SyncConflict as conflict:
            seen = [each._replace(path=self.seen(each.path)) for each in conflict.differences]
            raise SyncConflict(self.sync.place.target, seen) from None

    def seen(self, path: bytes) -> bytes:
        """A path of the project relative to the caller's directory, as `rdoctl sync take` interprets it."""
        return os.path.relpath(os.path.join(os.path.realpath(fsencode(self.sync.place.root)), path), self.request.cwd)

    def copied(self, sudo: str) -> Copied | None:
        """What the command's shell has to check before it starts the command; None if it may be unable to.

        `sudo` is the user to run the command as. Files copied by another user may be inaccessible to that one.
        """
        return None if sudo or self.is_by_another else self.sync.copied

    def restore(self, shell: Shell) -> None:
        """Copy the files again, since the target has lost them and the command's shell is waiting.

        Raises RdoError, ClientGone.
        """
        with contextlib.suppress(CommandEnded):
            caller = StartedCaller(self.client, self.request, self.user, lambda: shell.channel.ended)
            self.sync.restore(self.use(caller), shell.nonce)

    def finisher(self, *, has_looked: bool) -> Callable[[int], int] | None:
        """A function to call with the status of the command once it has ended; None if nothing is left to do.

        `has_looked`: the command's shell has checked that the files are there.
        """
        if has_looked and not self.sync.place.rules.pull:
            return None
        return partial(self._finish, has_looked=has_looked)

    def _finish(self, status: int, *, has_looked: bool) -> int:
        """Copy back what the command changed, and return the status to report: 255 if that fails and the command's was
        0.

        If the command may have been unable to enter its directory, the target is examined again before the next
        command, since the directory may be empty. Raises ClientGone.
        """
        if status == FAILURE and not has_looked:
            self.sync.forget()
        if not self.sync.place.rules.pull:
            return status
        self.client.send(protocol.FINISHED)
        with WaitingCaller(self.client, self.request, self.user) as caller:
            failure = self.after(caller)
        return status or failure

    def run_only(self, caller: WaitingCaller, words: Sequence[str]) -> None:
        """Do what `rdo --sync-only` or `rdoctl sync` asks for, without running a command. Raises RdoError,
        ClientGone."""
        verb, *rest = words or ["both"]
        if verb not in VERBS:
            raise RdoError(f"unknown request `{without_middle(verb)}`", "", "see `rdoctl sync --help`")
        lines: list[str] = []
        status = 0
        if verb != "pull":
            self.sync.forget()  # no command's shell will check that everything is still there
        if verb in ("both", "push"):
            self._push(caller, looks_for_missing=verb == "push")
        if verb in ("both", "pull"):
            status = self.after(caller)
        if verb == "take":
            status = self._take(caller, rest)
        if verb in ("status", "diff"):
            differences = self.sync.differences(self.use(caller))
            lines = self._differences(differences) if verb == "diff" else self._status(differences, caller)
        if lines:
            self.client.send(protocol.STARTED)
            self.client.send(protocol.OUTPUT, "".join(f"{printable(line)}\n" for line in lines).encode())
        self.client.send(protocol.EXIT, bytes([status]))

    def _push(self, caller: WaitingCaller, *, looks_for_missing: bool) -> None:
        if looks_for_missing:
            self.sync.lose_missing(self.use(caller))
        self.before(caller)

    def _take(self, caller: WaitingCaller, words: Sequence[str]) -> int:
        side, *paths = words
        if side == "here":
            self.sync.take_here(self.use(caller), [fsencode("" if path == "." else path) for path in paths])
            return 0
        fault = self.pull_fault(self.sync.take_there(self.use(caller), list(map(fsencode, paths))))
        if fault is None:
            return 0
        caller.report(f"rdo: {fault}")
        return FAILURE

    def _differences(self, differences: Sequence[Difference]) -> list[str]:
        return [f"{each.there + ' there':18}{fsdecode(self.seen(each.path))}" for each in differences]

    def _status(self, differences: Sequence[Difference], caller: WaitingCaller) -> list[str]:
        place = self.sync.place
        tree = self.sync.settle(caller)
        files = sum(entry.kind == "file" for entry in tree.values())
        counts: dict[str, int] = {}
        for each in differences:
            counts[each.there] = counts.get(each.there, 0) + 1
        there = ", ".join(f"{count:,} {kind}" for kind, count in sorted(counts.items())) or "the same"
        lines = [
            f"here   {place.root}: {files:,} file{'' if files == 1 else 's'} in all",
            f"there  {place.directory} on {place.target}: {there}",
        ]
        return [*lines, f"pulls  {', '.join(place.rules.pull)}"] if place.rules.pull else lines

    def pull_fault(self, result: PullResult) -> RdoError | None:
        """The error about local files that were left alone; None if there are none."""
        if not result.conflicts:
            return None
        paths = {self.seen(path): path for path in result.conflicts}
        first = min(paths)
        why = f"{named(paths)} {'has' if len(paths) == 1 else 'have'} changed here, or did not come from there"
        hint = f"move it away, or overwrite it: `rdoctl sync take there {fsdecode(first)}`"
        place = os.path.join(fsencode(self.sync.place.root), paths[first])
        if os.path.isdir(place) and not os.path.islink(place):
            hint = "it is a directory here: move it away, and try again"  # it may contain anything
        return RdoError("did not copy all files from the target", why, hint)

    def after(self, caller: WaitingCaller) -> int:
        """Copy back what commands have changed, and return 0 or the status of a failure, which is reported. Raises
        ClientGone."""
        try:
            fault = self.pull_fault(self.sync.pull(self.use(caller)))
        except RdoError as error:
            fault = error
        if fault is None:
            return 0
        caller.report(f"rdo: {fault}")
        return FAILURE
