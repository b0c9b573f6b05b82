"""Runs one command from its request to its end: finds its profile, target and shell, and starts its session."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence, Set
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from rdo import plan
from rdo.config.schema import DEFAULT_PROFILE, Settings
from rdo.drivers.base import ChannelOptions, Driver, Pty, Target, WindowSize
from rdo.drivers.caller import Caller
from rdo.drivers.root import Root
from rdo.errors import RdoError, SetupError
from rdo.fscodec import fsdecode
from rdo.ipc.request import Request
from rdo.master import parent_environment, port_forwards, prefix_assignment
from rdo.master.client_connection import ClientConnection
from rdo.master.command_caller import WaitingCaller
from rdo.master.port_forwards import PortForwards
from rdo.master.prefix_assignment import PrefixAssignments
from rdo.master.profile import Profile, ProfileTable
from rdo.master.session import Session
from rdo.pool.connections import ShellLease, TargetSpent
from rdo.pool.target_pool import PoolCommand, PoolUser
from rdo.pool.target_table import TargetTable, TargetUse
from rdo.remote_sh.script import Script
from rdo.sync.sync_table import SyncTable
from rdo.util.lazy import Lazy

if TYPE_CHECKING:
    from rdo.master.auto_forward import AutoForward
    from rdo.master.browser import Browsers
    from rdo.master.command_browser import CommandBrowser
    from rdo.master.command_sync import CommandSync
    from rdo.master.unison_sync import UnisonSync


class Setup(NamedTuple):
    """A command, and what its request implies before anything is connected."""

    client: ClientConnection
    request: Request
    profile: Profile
    driver: Driver
    command: PoolCommand
    user: PoolUser

    @property
    def settings(self) -> Settings:
        return self.profile.config.settings


class CommandRunner:
    """Runs the commands of a control master. Thread-safe."""

    def __init__(self, targets: TargetTable, forwards: PortForwards) -> None:
        self.syncs = SyncTable()
        self._targets = targets
        self._forwards = forwards
        self._browsers = Lazy(partial(_browsers, forwards))
        self._profiles = ProfileTable()
        self._prefix_assignments = PrefixAssignments()

    def run(self, client: ClientConnection, request: Request) -> None:
        """Run one command to its end. Raises RdoError if it was not started, and ClientGone if its client is gone."""
        with contextlib.ExitStack() as used:
            with WaitingCaller(client, request) as caller:
                forwards = port_forwards.wanted(request.forwards)
                setup = self._set_up(client, request, caller)
                settings, driver = setup.settings, setup.driver
                opening = partial(_opening, caller, request, settings)
                use, lease = _leased(used, partial(self._target, setup, caller), opening, caller)
                roots = use.pool.login.resolved(driver.roots(), caller)
                sync = self._sync(used, setup, use, roots, caller)
                if request.sync_only:
                    if sync is not None:
                        sync.run_only(caller, list(map(fsdecode, request.arguments)))
                    return
                ptyless = request.pty and not lease.shell.pty
                if ptyless:  # the same wording as ssh(1)
                    caller.report(f"rdo: PTY allocation request failed on `{use.target.name}`; continuing without one")
                self._hold_forwards(setup, use, caller)
                failures = used.enter_context(self._forwards.held(use.pool, lease.connection, forwards, caller.report))
                browser = self._browser(setup, use, lease, caller)
                if sync is not None:
                    sync.before(caller)
            sudo = "" if driver.switches_user else caller.user
            copied = sync.copied(sudo) if sync is not None else None
            planned = plan.make(request, settings, roots, driver.target, driver.unmapped_error, sudo, copied)
            if request.progress and settings.driver != "local":  # where all variables arrive
                self._hint_at_prefix_assignments(
                    caller, request, {*planned.script.environment, *use.target.options(caller, None).variables}
                )
            finish = sync.finisher(has_looked=copied is not None) if sync is not None else None
            restore = sync.restore if sync is not None and copied is not None else None
            ports = self._ports(setup, use, lease, maps_output=planned.maps_output)
            session = Session(client, lease, use.target.name, planned.output_roots, finish, restore, ports)
            failures.report_to(session.remarks.show_now)
            session.start(_with_browser(session, planned.script, browser), ptyless=ptyless)
            if request.progress or request.verbose:
                session.report_silence()
            self._prefix_assignments.remember(caller.environment)
            session.relay(use.pool.shells.prepare)

    def _set_up(self, client: ClientConnection, request: Request, caller: WaitingCaller) -> Setup:
        """Raises RdoError for what is wrong or not allowed."""
        profile = self._profiles.of(request, caller.environment)
        _check_request(request, profile.config.settings)
        caller.user = plan.user(request, profile.config.settings)
        driver, trust_check = profile.of_caller(caller.environment)
        trust_check.check(caller)
        _check_directory(profile, driver, request)
        command = PoolCommand(shown(request), client.break_off, request.is_check)
        return Setup(client, request, profile, driver, command, PoolUser(profile.config.path, profile.config.profile))

    def _target(self, setup: Setup, caller: Caller) -> AbstractContextManager[TargetUse]:
        return self._targets.of(setup.driver, caller, setup.user, setup.command, setup.settings.idle_timeout)

    def _sync(
        self, used: contextlib.ExitStack, setup: Setup, use: TargetUse, roots: Sequence[Root], caller: WaitingCaller
    ) -> CommandSync | UnisonSync | None:
        """The object that copies the command's files; None if they are not copied."""
        if not _copies_files(setup.request, setup.settings):
            return None
        from rdo.master import command_sync, unison_sync  # few projects need them

        driver, owner = setup.driver, caller
        place = command_sync.place_of(setup.profile.config, driver, roots, use.target.name)
        if place.rules.mode == "unison":
            return unison_sync.UnisonSync(setup.client, command_sync.unison_place(setup.profile.config, driver, place))
        user = command_sync.user(setup.settings)
        if driver.switches_user and caller.user != user:
            owner = WaitingCaller(setup.client, setup.request, user)
            use = used.enter_context(self._target(setup, owner))
            used.callback(use.pool.shells.prepare)
        sync = self.syncs.of(use.pool, place, caller.environment)
        sudo = "" if driver.switches_user else user
        return command_sync.CommandSync(
            sync, setup.client, setup.request, use, sudo, owner.user, is_by_another=owner is not caller
        )

    def _ports(self, setup: Setup, use: TargetUse, lease: ShellLease, *, maps_output: bool) -> AutoForward | None:
        """Forwards the ports which the command listens on; None if they need no forwarding, or cannot be forwarded."""
        settings = setup.settings
        if not settings.auto_forward or settings.driver == "local" or settings.fresh:
            return None
        from rdo.master.auto_forward import AutoForward  # few profiles need it

        return AutoForward(self._forwards.watch(use.pool), lease, setup.request, maps_output=maps_output)

    def _hold_forwards(self, setup: Setup, use: TargetUse, caller: WaitingCaller) -> None:
        """Hold the forwards of the target and of the profile for as long as the target is connected."""
        try:
            self._forwards.hold_for_target(use.pool, use.target, caller.report)
        except SetupError as error:  # as with ssh, the next attempt starts over with the configuration at that time
            self._targets.give_up(use.pool, error.what)
            raise
        self._forwards.hold_for_profile(use.pool, setup.user, setup.profile.config, caller.report)

    def _browser(self, setup: Setup, use: TargetUse, lease: ShellLease, caller: WaitingCaller) -> CommandBrowser | None:
        """The object that opens the command's URLs; None if that is not enabled, or not possible."""
        settings = setup.settings
        if settings.open_browser == "no":
            return None
        return self._browsers.get().of_command(
            setup.client, setup.request, settings, lease.connection, use.pool, caller
        )

    def _hint_at_prefix_assignments(self, caller: WaitingCaller, request: Request, there: Set[str]) -> None:
        """Print a hint, once, about a variable before the command line that does not reach the target.
        `there` are the names of those that do."""
        started_by = partial(parent_environment.of, caller.process)
        names = self._prefix_assignments.new_assignments(caller.environment, started_by)
        if fresh := self._prefix_assignments.first_mentions(name for name in names if name not in there):
            words = list(map(fsdecode, request.arguments)) if _is_plain(request) else []
            caller.report(f"rdo: {prefix_assignment.hint(fresh, caller.environment, words)}")


def _browsers(forwards: PortForwards) -> Browsers:
    from rdo.master.browser import Browsers  # few profiles use it

    return Browsers(forwards)


def _check_request(request: Request, settings: Settings) -> None:
    """Raises RdoError if the request asks for something that is not available."""
    if request.sync_only and not _copies_files(request, settings):
        if request.no_sync:
            raise RdoError("there is nothing to copy", "`--no-sync` was given", "leave out one of the two options")
        raise RdoError("there is nothing to copy", "the profile does not set `sync`", 'write `sync = "push"`')


def _copies_files(request: Request, settings: Settings) -> bool:
    return settings.sync != "no" and not request.no_sync


def _check_directory(profile: Profile, driver: Driver, request: Request) -> None:
    """Raises RdoError if it is unknown which directory on the target is the project's."""
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
    """The target, and a shell on it, both held while `used` is open. Raises ConnectError."""
    while True:
        with contextlib.ExitStack() as attempt:
            use = attempt.enter_context(target())
            with contextlib.suppress(TargetSpent):
                lease = attempt.enter_context(use.pool.shells.lease(caller, partial(opening, use.target)))
                used.push(attempt.pop_all())
                return use, lease


def _with_browser(session: Session, script: Script, browser: CommandBrowser | None) -> Script:
    """The script, prepared for a command whose URLs are opened on this machine."""
    if browser is None:
        return script
    session.open_urls(browser)
    return browser.script(script)


def _opening(caller: Caller, request: Request, settings: Settings, target: Target) -> ChannelOptions:
    pty = Pty(plan.terminal_type(request), WindowSize(*request.window)) if request.pty else None
    return target.options(caller, pty)._replace(login=settings.login)


def shown(request: Request) -> str:
    """The command, for people to read."""
    return " ".join(map(fsdecode, request.arguments))


def _is_plain(request: Request) -> bool:
    """Whether the command line was just `rdo COMMAND`, as far as the request shows."""
    flags = request.is_shell_string or request.sudo or request.no_map
    return fsdecode(request.profile) == DEFAULT_PROFILE and not flags and not request.remote_directory + request.user
