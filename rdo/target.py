"""What a master serves: the config, its driver, and the shells on the target. Every command goes through here."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import partial

from rdo import drivers, parent_environment, plan, prefix_assignment, worktree
from rdo.config import Config
from rdo.conversation import Conversation, WaitingCaller
from rdo.drivers.base import Pty, Root, WindowSize
from rdo.errors import ConnectError
from rdo.gate import Gate
from rdo.pools import Pools
from rdo.prefix_assignment import PrefixAssignments
from rdo.protocol import Request
from rdo.session import Session
from rdo.settings import DEFAULT_PROFILE


class Target:
    """The target of one profile."""

    def __init__(self, config: Config, allowed: Callable[[], None]) -> None:
        """`allowed` is called for each command that the user lets use the target. Raises ConfigError."""
        self.config = config
        self._allowed = allowed
        self.driver = drivers.create(config)
        self._gate = Gate(config, partial(drivers.programs, config))
        self._pools = Pools(self.driver, config.settings.login)
        self._prefix_assignments = PrefixAssignments()
        self._recipe = drivers.recipe(config)
        self._worktree_fault = worktree.fault(config)

    @property
    def links(self) -> int:
        """How many connections are held."""
        return sum(len(list(shells.links)) for shells in self._pools.shells)

    def is_outdated(self) -> bool:
        """Whether what it is built of has changed: the next command needs another one."""
        return self._recipe != drivers.recipe(self.config)

    def close(self) -> None:
        """End all connections."""
        for shells in self._pools.shells:
            shells.close()

    def run(self, conversation: Conversation, request: Request) -> None:
        """Run one command to its end. Raises RdoError where it was not started, Gone where nobody waits for it."""
        with contextlib.ExitStack() as after:
            user = plan.user(request, self.config.settings)
            with WaitingCaller(conversation, request, user) as caller:
                self._gate.check(caller)
                self._allowed()
                if self._worktree_fault and not request.remote_directory:
                    raise self._worktree_fault
                if not self.driver.roots() and not request.remote_directory:
                    self._require_directory(plan.text(request.pwd))
                pool = after.enter_context(self._pools.of(caller))
                taken = after.enter_context(pool.shells.lease(caller, _pty(request)))
                ptyless = b"p" in request.flags and not taken.shell.pty
                if ptyless:  # in the words of ssh(1)
                    caller.tell(f"rdo: PTY allocation request failed on `{self.driver.target}`: it goes on without one")
                roots = pool.login.resolved(self.driver.roots(), caller)
            planned = self._plan(request, roots, caller.user)
            if b"g" in request.flags and self.config.settings.driver != "local":  # there, nothing stays here
                self._tell_what_stays_here(caller, request, planned)
            session = Session(conversation, taken, self.driver.target, planned.output_roots)
            session.start(planned.script, ptyless=ptyless)
            self._prefix_assignments.remember(caller.environment)
            session.relay(pool.shells.started)

    def _tell_what_stays_here(self, caller: WaitingCaller, request: Request, planned: plan.Plan) -> None:
        """One hint, once, for a variable that the command line began with and that does not reach the target."""
        started_by = partial(parent_environment.of, caller.process)
        names = self._prefix_assignments.news(caller.environment, started_by)
        if not names:
            return
        there = set(planned.script.environment)
        with contextlib.suppress(ConnectError):  # the next command meets it
            there.update(self.driver.variables(caller))
        if fresh := self._prefix_assignments.once(name for name in names if name not in there):
            words = list(map(plan.text, request.arguments)) if _is_plain(request) else []
            caller.tell(f"rdo: {prefix_assignment.hint(fresh, caller.environment, words)}")

    def _require_directory(self, here: str) -> None:
        """Raises RdoError where the config does not say where the command is to run, and nothing else does."""
        if words := self.driver.not_shared(here):
            raise words
        self.config.require_directory()

    def _plan(self, request: Request, roots: Sequence[Root], user: str) -> plan.Plan:
        """Made once there is a connection: a machine that just started shares directories that nobody knew before."""
        driver = self.driver
        sudo = "" if driver.switches_user else user
        return plan.make(request, self.config.settings, roots, driver.target, driver.not_shared, sudo)


def _is_plain(request: Request) -> bool:
    """Whether the command line was none but `rdo COMMAND`, so far as that shows."""
    flags = any(flag in request.flags for flag in (b"c", b"s", b"m"))
    return plan.text(request.profile) == DEFAULT_PROFILE and not flags and not request.remote_directory + request.user


def _pty(request: Request) -> Pty | None:
    if b"p" not in request.flags:
        return None
    return Pty(plan.terminal_type(request), WindowSize(*request.window))
