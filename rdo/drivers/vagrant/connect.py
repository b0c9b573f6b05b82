"""Connects to a machine: by Vagrant's cached answer if possible, else by asking Vagrant, which starts Ruby, and by
starting the machine if necessary.

This module decides when to ask Vagrant, and what. The ssh driver makes the connection.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rdo.drivers.caller import Caller, show_step
from rdo.drivers.ssh.dial import ConnectAhead, load_connector
from rdo.drivers.ssh.query import Query
from rdo.drivers.ssh.query_request import SshQueryRequest
from rdo.drivers.vagrant.command import AUTO_UP, VagrantCommand
from rdo.drivers.vagrant.known_hosts import MachineKnownHosts
from rdo.drivers.vagrant.output import LIST_LIMIT, NOT_CREATED, MachineState
from rdo.drivers.vagrant.project import VagrantMachine, VagrantProject, find_machine, known_machines, seems_down
from rdo.drivers.vagrant.store import VagrantCache, answer_file, answer_key
from rdo.errors import ConnectError, reason
from rdo.util.phrases import listed, nearest

if TYPE_CHECKING:
    from rdo.drivers.ssh.connection import SshConnection
    from rdo.drivers.vagrant.driver import ConnectOptions

UP_TIMEOUT = 3600.0
"""Seconds to wait for a `vagrant up` of another control master, which may have to download gigabytes."""


class VagrantConnector:
    """Connects one caller to one machine."""

    def __init__(
        self,
        project: VagrantProject,
        name: str,
        caller: Caller,
        cache: VagrantCache,
        known: MachineKnownHosts,
        connect_options: ConnectOptions,
    ) -> None:
        self._project = project
        self._name = name
        self._caller = caller
        self._cache = cache
        self._known = known
        self._connect_options = connect_options
        self._file = answer_file(name)
        self._vagrant = VagrantCommand(project, caller)

    def connect(self) -> SshConnection:
        """Connect and log in. Raises ConnectError."""
        machine = find_machine(self._project, self._name, self._caller.environment)
        if machine is None:
            state = NOT_CREATED if self._name in known_machines(self._project) else self._state()
            return self._log_in_by_answer(self._get_up(state))
        return self._log_in_by_cache(machine) or self._log_in_by_answer(self._ask(machine))

    def _log_in_by_cache(self, machine: VagrantMachine) -> SshConnection | None:
        """Connect by Vagrant's cached answer; None if there is no answer, or if it no longer works."""
        if seems_down(machine, self._caller.environment):
            return None
        if self._cache.read(self._file, answer_key(self._project, machine)) is None:
            return None
        self._caller.trace(f"cached: {self._cache.path(self._file)}")
        try:
            return self._log_in(machine)
        except ConnectError as error:
            self._caller.trace(f"the cached connection no longer works: {error}")
            self._cache.drop(self._file)
            return None

    def _log_in_by_answer(self, machine: VagrantMachine) -> SshConnection:
        try:
            return self._log_in(machine)
        except ConnectError:
            self._cache.drop(self._file)
            raise

    def _log_in(self, machine: VagrantMachine) -> SshConnection:
        path = self._cache.path(self._file)
        query = Query(SshQueryRequest(self._name, ssh_config=path), self._caller.environment)
        timeout = self._connect_options.connect_timeout
        with ConnectAhead(query, timeout) as ahead:
            connector = load_connector()(self._caller, path, timeout)
            options = self._known.guard(ahead.options(), machine)
            connection = connector.connect(options, ahead.stream)
        self._known.settle(machine)
        return connection

    def _ask(self, machine: VagrantMachine) -> VagrantMachine:
        """Ask Vagrant how to reach the machine, and cache the answer. Starts the machine first if it is down."""
        answer = self._vagrant.ssh_config(self._name)
        if answer.success:
            return self._keep(machine, answer.output)
        state = self._state()
        if state.runs:
            raise ConnectError(f"cannot reach `vagrant {self._name}`", answer.complaint, "see `vagrant ssh-config`")
        return self._get_up(state)

    def _get_up(self, state: MachineState) -> VagrantMachine:
        """Run `vagrant up`, only once for all commands that wait, then ask how to reach the machine."""
        if not self._connect_options.auto_up:
            hint = f"type `vagrant {state.verb} {shlex.quote(self._name)}`, or {AUTO_UP}"
            raise ConnectError(f"`vagrant {self._name}` is {state.text}", "", hint)

        def say_waiting() -> None:
            show_step(self._caller, f"waiting for another `vagrant up {self._name}`")

        try:
            with self._cache.lock(f"{self._name}.lock", UP_TIMEOUT, say_waiting) as waited:
                answer = self._vagrant.ssh_config(self._name) if waited else None
                if answer is None or not answer.success:
                    self._vagrant.up(self._name)
                    answer = self._vagrant.ssh_config(self._name)
        except OSError as error:
            hint = "look for another `vagrant up` that is still running"
            raise ConnectError(f"cannot run `vagrant up {self._name}`", reason(error), hint) from error
        machine = find_machine(self._project, self._name, self._caller.environment)
        if machine is None or not answer.success:
            raise ConnectError(f"`vagrant {self._name}` is up but unreachable", answer.complaint)
        return self._keep(machine, answer.output)

    def _state(self) -> MachineState:
        """The machine's state, as reported by Vagrant. Raises ConnectError if the Vagrantfile does not define the
        machine."""
        states = self._vagrant.states()
        if self._name not in states:
            why = f"`{self._project.vagrantfile}` has {listed(list(states), LIST_LIMIT)}"
            raise ConnectError(f"there is no machine `{self._name}`", why, nearest(self._name, list(states)))
        return states[self._name]

    def _keep(self, machine: VagrantMachine, text: str) -> VagrantMachine:
        try:
            self._cache.write(self._file, answer_key(self._project, machine), text)
        except OSError as error:
            raise ConnectError(f"cannot write `{self._cache.path(self._file)}`", reason(error)) from error
        return machine
