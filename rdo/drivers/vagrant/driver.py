"""The vagrant driver: which machine is meant, and which directories it shares.

target.py chooses the machine and connect.py reaches it. Neither starts Ruby while Vagrant's earlier answers are valid.
Asking for the directories or the target's name never does.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rdo.drivers.root import Root
from rdo.drivers.vagrant.project import (
    RSYNC,
    VagrantMachine,
    created_machines,
    find_machine,
    find_project,
    known_machines,
    machine_files,
    synced_roots,
)
from rdo.drivers.vagrant.store import CHOICE_FILE, VagrantCache, answer_file, answer_key
from rdo.util.file_stamp import Remembered

if TYPE_CHECKING:
    from rdo.drivers.caller import Caller
    from rdo.drivers.ssh.connection import SshConnection
    from rdo.drivers.ssh.query import Query
    from rdo.drivers.vagrant.target import VagrantTarget

ONLY_MACHINE = "default"
"""Vagrant's name for the machine of a Vagrantfile that defines only one, without a name."""

ENV_VARS = ("HOME", "VAGRANT_HOME", "VAGRANT_DEFAULT_PROVIDER", "SSH_AUTH_SOCK")
"""Environment variables by which Vagrant and ssh find their files, in addition to those that determine the project."""


class ConnectOptions(NamedTuple):
    """Whether to start the machine if it is down, and the seconds for each step of connecting, both from the
    profile."""

    auto_up: bool
    connect_timeout: float | None


class RecordedMachine(NamedTuple):
    """What Vagrant's files say about the machine; None for what is unknown or not created."""

    name: str | None
    machine: VagrantMachine | None
    synced: list[Root]


class VagrantDriver:
    """Reaches a machine as `vagrant ssh` does."""

    def __init__(
        self,
        root: str,
        *,
        machine: str | None,
        directory: str | None,
        auto_up: bool,
        connect_timeout: float | None,
        environment: Mapping[str, str],
    ) -> None:
        """`directory` is the machine's directory for the local directory `root`. `connect_timeout` is in seconds.

        `environment` matters for VAGRANT_CWD, VAGRANT_DOTFILE_PATH and the like. Raises ConfigError.
        """
        self.project = find_project(root, environment)
        self._local = root
        self._given = machine
        self._root = Root(root, directory) if directory else None
        self._options = ConnectOptions(auto_up, connect_timeout)
        self._environment = environment
        self._cache = VagrantCache(environment, self.project.dotfile)
        self._name = Remembered(self._read_name, self._name_files)
        self._machine = Remembered(self._read_machine, self._machine_files)

    switches_user = False

    @property
    def target(self) -> str:
        name = self._name.get()
        return f"vagrant {name}" if name else "vagrant"

    def roots(self) -> Sequence[Root]:
        """The synced folders as of the last `vagrant up` or `reload`; before the first one, Vagrant's default."""
        synced = self._machine.get().synced
        given = [self._root] if self._root else []
        physical = [root._replace(local=os.path.realpath(root.local)) for root in synced]  # with links resolved
        others = [root for root in dict.fromkeys([*synced, *physical]) if not (given and root.local == self._local)]
        return [*given, *others] or [Root(self.project.directory, "/vagrant")]

    def unmapped_error(self, directory: str) -> None:
        """See base.Driver."""

    def sharing(self) -> str:
        """See base.Driver. Of the types of synced folders, only rsync makes a copy."""
        shared = [each.local for each in self._machine.get().synced if each.note != RSYNC]
        found = [each for each in shared if f"{self._local}/".startswith(f"{os.path.realpath(each)}/")]
        return f"`{found[0]}` is a synced folder of the machine" if found else ""

    def selector(self, caller: Caller) -> Hashable:
        """See base.Driver."""
        return (self.project, self._name.get(), self._options, *map(caller.environment.get, ENV_VARS))

    def resolve(self, caller: Caller) -> VagrantTarget:
        """See base.Driver. Runs Vagrant only if that has to choose the machine."""
        from rdo.drivers.vagrant.connect import VagrantConnector
        from rdo.drivers.vagrant.known_hosts import MachineKnownHosts
        from rdo.drivers.vagrant.target import VagrantTarget, choose

        name = self._name.get() or choose(self.project, caller, self._cache, auto_up=self._options.auto_up)
        machine = find_machine(self.project, name, caller.environment)
        key = ("vagrant", self.selector(caller), machine and machine.id)
        known = MachineKnownHosts(self._environment, self.project.dotfile, name)

        def connect(caller: Caller) -> SshConnection:
            return VagrantConnector(self.project, name, caller, self._cache, known, self._options).connect()

        return VagrantTarget(f"vagrant {name}", self.project.directory, key, connect)

    def ssh_query(self, environment: Mapping[str, str]) -> Query | None:
        """Start `ssh -G` for the machine, with Vagrant's last answer as far as there is one. Raises ConnectError."""
        name = self._name.get()
        machine = find_machine(self.project, name, environment) if name else None
        if not name or not machine:
            return None
        from rdo.drivers.ssh.query import Query
        from rdo.drivers.ssh.query_request import SshQueryRequest
        from rdo.util import own_program

        file = answer_file(name)
        if self._cache.read(file, answer_key(self.project, machine)) is None:
            return None
        return Query(SshQueryRequest(name, ssh_config=self._cache.path(file)), environment, own_program.start)

    def _read_name(self) -> str | None:
        """The machine's name; None if it cannot be determined without running Vagrant."""
        if self._given:
            return self._given
        if known_machines(self.project) == [ONLY_MACHINE] and created_machines(self.project, ONLY_MACHINE):
            return ONLY_MACHINE
        return self._cache.read(CHOICE_FILE, self.project.stamp())

    def _name_files(self, name: str | None) -> list[str]:
        choice = [self.project.machines, self.project.vagrantfile, self._cache.path(CHOICE_FILE)]
        return [] if self._given else [*choice, *machine_files(self.project, ONLY_MACHINE, self._environment)]

    def _read_machine(self) -> RecordedMachine:
        name = self._name.get()
        machine = find_machine(self.project, name, self._environment) if name else None
        return RecordedMachine(name, machine, synced_roots(self.project, machine) if machine else [])

    def _machine_files(self, state: RecordedMachine) -> list[str]:
        files = machine_files(self.project, state.name, self._environment) if state.name else []
        return [*self._name_files(state.name), *files]
