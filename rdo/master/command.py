"""One command, from its request to its end: its profile, its target, a shell there, and the session."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Set
from contextlib import AbstractContextManager
from functools import partial

from rdo import plan
from rdo.config.schema import DEFAULT_PROFILE, Settings
from rdo.drivers.base import ChannelOptions, Driver, Pty, Target, WindowSize
from rdo.drivers.caller import Caller
from rdo.errors import RdoError
from rdo.fscodec import fsdecode
from rdo.ipc.request import Request
from rdo.master import parent_environment, port_forwards, prefix_assignment
from rdo.master.client_connection import ClientConnection, WaitingCaller
from rdo.master.port_forwards import PortForwards
from rdo.master.prefix_assignment import PrefixAssignments
from rdo.master.profile import Profile, ProfileTable
from rdo.master.session import Session
from rdo.pool.connections import ShellLease, TargetSpent
from rdo.pool.target_pool import PoolCommand, PoolUser
from rdo.pool.target_table import TargetTable, TargetUse


class CommandRunner:
    """Runs the commands of a control master. Usable from any thread."""

    def __init__(self, targets: TargetTable, forwards: PortForwards) -> None:
        self._targets = targets
        self._forwards = forwards
        self._profiles = ProfileTable()
        self._prefix_assignments = PrefixAssignments()

    def run(self, client: ClientConnection, request: Request) -> None:
        """Run one command to its end. Raises RdoError if it was not started, ClientGone if nobody waits for it."""
        with contextlib.ExitStack() as used:
            with WaitingCaller(client, request) as caller:
                profile = self._profiles.of(request, caller.environment)
                settings = profile.config.settings
                _check_request(request, settings)
                forwards = port_forwards.wanted(request.forwards)
                caller.user = plan.user(request, settings)
                driver, trust_check = profile.of_caller(caller.environment)
                trust_check.check(caller)
                _check_directory(profile, driver, request)
                command = PoolCommand(shown(request), client.break_off)
                user = PoolUser(profile.config.path, profile.config.profile)

                def target() -> AbstractContextManager[TargetUse]:
                    return self._targets.of(driver, caller, user, command, settings.idle_timeout)

                use, lease = _leased(used, target, partial(_opening, caller, request, settings), caller)
                ptyless = request.pty and not lease.shell.pty
                if ptyless:  # in the words of ssh(1)
                    name = use.target.name
                    caller.report(f"rdo: PTY allocation request failed on `{name}`; continuing without one")
                roots = use.pool.login.resolved(driver.roots(), caller)
                self._forwards.hold_for_profile(use.pool, user, profile.config, caller.report)
                if forwards:
                    used.enter_context(self._forwards.held(use.pool, forwards, caller.report))
            sudo = "" if driver.switches_user else caller.user
            planned = plan.make(request, settings, roots, driver.target, driver.unmapped_error, sudo)
            if request.progress and settings.driver != "local":  # there, nothing stays here
                self._hint_at_prefix_assignments(
                    caller, request, {*planned.script.environment, *use.target.options(caller, None).variables}
                )
            session = Session(client, lease, use.target.name, planned.output_roots)
            session.start(planned.script, ptyless=ptyless)
            if request.progress or request.verbose:
                session.report_silence()
            self._prefix_assignments.remember(caller.environment)
            session.relay(use.pool.shells.prepare)

    def _hint_at_prefix_assignments(self, caller: WaitingCaller, request: Request, there: Set[str]) -> None:
        """One hint, once, for a variable that the command line began with and that does not reach the target.

        `there`: names of those that do.
        """
        started_by = partial(parent_environment.of, caller.process)
        names = self._prefix_assignments.new_assignments(caller.environment, started_by)
        if fresh := self._prefix_assignments.first_mentions(name for name in names if name not in there):
            words = list(map(fsdecode, request.arguments)) if _is_plain(request) else []
            caller.report(f"rdo: {prefix_assignment.hint(fresh, caller.environment, words)}")


def _check_request(request: Request, settings: Settings) -> None:
    """Raises RdoError for what was asked for and cannot be had."""
    if request.sync_only:
        why = "the profile sets no `sync`" if settings.sync == "no" else "files are not copied yet"
        raise RdoError("there is nothing to copy", why, 'write `sync = "push"`')


def _check_directory(profile: Profile, driver: Driver, request: Request) -> None:
    """Raises RdoError where it is not known which directory there is the project's."""
    if request.remote_directory:
        return
    if profile.worktree_fault:
        raise profile.worktree_fault
    if not driver.roots():
        if error := driver.unmapped_error(fsdecode(request.pwd)):
            raise error
        profile.config.require_directory()


def _leased(
    used: contextlib.ExitStack,
    target: Callable[[], AbstractContextManager[TargetUse]],
    opening: Callable[[Target], ChannelOptions],
    caller: Caller,
) -> tuple[TargetUse, ShellLease]:
    """The target and a shell there, both for as long as they are `used`. Raises ConnectError."""
    while True:
        with contextlib.ExitStack() as attempt:
            use = attempt.enter_context(target())
            with contextlib.suppress(TargetSpent):
                lease = attempt.enter_context(use.pool.shells.lease(caller, partial(opening, use.target)))
                used.push(attempt.pop_all())
                return use, lease


def _opening(caller: Caller, request: Request, settings: Settings, target: Target) -> ChannelOptions:
    pty = Pty(plan.terminal_type(request), WindowSize(*request.window)) if request.pty else None
    return target.options(caller, pty)._replace(login=settings.login)


def shown(request: Request) -> str:
    """The command for people."""
    return " ".join(map(fsdecode, request.arguments))


def _is_plain(request: Request) -> bool:
    """Whether the command line was just `rdo COMMAND`, as far as the request shows."""
    flags = request.is_shell_string or request.sudo or request.no_map
    return fsdecode(request.profile) == DEFAULT_PROFILE and not flags and not request.remote_directory + request.user
