"""What a master serves: the config, its driver, and the shells on the target. Every command goes through here."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import partial

from rdo import plan
from rdo.config import worktree
from rdo.config.load import Config
from rdo.config.schema import DEFAULT_PROFILE
from rdo.drivers import registry
from rdo.drivers.base import Pty, Root, WindowSize
from rdo.errors import ConnectError
from rdo.fscodec import fsdecode
from rdo.ipc.request import Request
from rdo.master import parent_environment, prefix_assignment
from rdo.master.client_connection import ClientConnection, WaitingCaller
from rdo.master.prefix_assignment import PrefixAssignments
from rdo.master.session import Session
from rdo.master.trust_check import TrustCheck
from rdo.pool.caller_pools import CallerPools


class Target:
    """The target of one profile."""

    def __init__(self, config: Config, allowed: Callable[[], None]) -> None:
        """`allowed` is called for each command that the user lets use the target. Raises ConfigError."""
        self.config = config
        self._allowed = allowed
        self.driver = registry.create(config)
        self._trust_check = TrustCheck(config, partial(registry.programs, config))
        self._pools = CallerPools(self.driver, config.settings.login)
        self._prefix_assignments = PrefixAssignments()
        self._recipe = registry.recipe(config)
        self._worktree_fault = worktree.fault(config)

    @property
    def connections(self) -> int:
        """How many connections are held."""
        return sum(len(list(shells.connections)) for shells in self._pools.shells)

    def is_outdated(self) -> bool:
        """Whether what it is built of has changed: the next command needs another one."""
        return self._recipe != registry.recipe(self.config)

    def close(self) -> None:
        """End all connections."""
        for shells in self._pools.shells:
            shells.close()

    def run(self, client: ClientConnection, request: Request) -> None:
        """Run one command to its end. Raises RdoError if it was not started, ClientGone if nobody waits for it."""
        with contextlib.ExitStack() as after:
            user = plan.user(request, self.config.settings)
            with WaitingCaller(client, request, user) as caller:
                self._trust_check.check(caller)
                self._allowed()
                if self._worktree_fault and not request.remote_directory:
                    raise self._worktree_fault
                if not self.driver.roots() and not request.remote_directory:
                    if error := self.driver.unmapped_error(fsdecode(request.pwd)):
                        raise error
                    self.config.require_directory()
                pool = after.enter_context(self._pools.of(caller))
                lease = after.enter_context(pool.shells.lease(caller, _pty(request)))
                ptyless = request.pty and not lease.shell.pty
                if ptyless:  # in the words of ssh(1)
                    caller.report(
                        f"rdo: PTY allocation request failed on `{self.driver.target}`; continuing without one"
                    )
                roots = pool.login.resolved(self.driver.roots(), caller)
            planned = self._plan(request, roots, caller.user)
            if request.progress and self.config.settings.driver != "local":  # there, nothing stays here
                self._hint_at_prefix_assignments(caller, request, planned)
            session = Session(client, lease, self.driver.target, planned.output_roots)
            session.start(planned.script, ptyless=ptyless)
            if request.progress or request.verbose:
                session.report_silence()
            self._prefix_assignments.remember(caller.environment)
            session.relay(pool.shells.started)

    def _hint_at_prefix_assignments(self, caller: WaitingCaller, request: Request, planned: plan.Plan) -> None:
        """One hint, once, for a variable that the command line began with and that does not reach the target."""
        started_by = partial(parent_environment.of, caller.process)
        names = self._prefix_assignments.new_assignments(caller.environment, started_by)
        if not names:
            return
        there = set(planned.script.environment)
        with contextlib.suppress(ConnectError):  # the next command reports it
            there.update(self.driver.variables(caller))
        if fresh := self._prefix_assignments.first_mentions(name for name in names if name not in there):
            words = list(map(fsdecode, request.arguments)) if _is_plain(request) else []
            caller.report(f"rdo: {prefix_assignment.hint(fresh, caller.environment, words)}")

    def _plan(self, request: Request, roots: Sequence[Root], user: str) -> plan.Plan:
        """Made once there is a connection: only then are the directories known that a machine shares."""
        driver = self.driver
        sudo = "" if driver.switches_user else user
        return plan.make(request, self.config.settings, roots, driver.target, driver.unmapped_error, sudo)


def _is_plain(request: Request) -> bool:
    """Whether the command line was just `rdo COMMAND`, as far as the request shows."""
    flags = request.is_shell_string or request.sudo or request.no_map
    return fsdecode(request.profile) == DEFAULT_PROFILE and not flags and not request.remote_directory + request.user


def _pty(request: Request) -> Pty | None:
    if not request.pty:
        return None
    return Pty(plan.terminal_type(request), WindowSize(*request.window))
