"""The vagrant driver: which machine it is, and which directories it shares.

How the machine is reached is for connect.py. Neither starts Ruby while Vagrant's earlier answers hold; to ask for the
directories or the target's name never does.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

from rdo.drivers.base import Caller, ChannelOptions, Pty, Root
from rdo.drivers.ssh.options import SshOptions, SshQueryRequest, variables
from rdo.drivers.ssh.query import Query
from rdo.drivers.vagrant.command import VagrantCommand
from rdo.drivers.vagrant.connect import AUTO_UP, ConnectOptions, VagrantConnector, answer_file, answer_key
from rdo.drivers.vagrant.output import LIST_LIMIT
from rdo.drivers.vagrant.project import (
    created_machines,
    find_machine,
    find_project,
    known_machines,
    synced_roots,
)
from rdo.drivers.vagrant.store import MachineKnownHosts, VagrantCache
from rdo.errors import ConnectError
from rdo.util.phrases import listed

if TYPE_CHECKING:
    from rdo.drivers.ssh.connection import SshConnection

ONLY_MACHINE = "default"
"""Vagrant's name for the only machine of a Vagrantfile that names none."""

ENV_VARS = ("HOME", "VAGRANT_HOME", "VAGRANT_DEFAULT_PROVIDER", "SSH_AUTH_SOCK")
"""Variables of the caller by which Vagrant and ssh find their files, beside those by which the project was found."""

CHOICE_FILE = "machine"
"""Where it is kept which machine Vagrant chooses if none is named."""


class VagrantDriver:
    """Reaches a machine as `vagrant ssh` would."""

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

        Of `environment`, VAGRANT_CWD and VAGRANT_DOTFILE_PATH and the like count. Raises ConfigError.
        """
        self.project = find_project(root, environment)
        self._local = root
        self._given = machine
        self._root = Root(root, directory) if directory else None
        self._connect_options = ConnectOptions(auto_up, connect_timeout)
        self._environment = environment
        self._cache = VagrantCache(environment, self.project.dotfile)

    switches_user = False

    @property
    def target(self) -> str:
        name = self._known_name()
        return f"vagrant {name}" if name else "vagrant"

    def roots(self) -> Sequence[Root]:
        """The synced folders as of the last `vagrant up` or `reload`; before the first one, what Vagrant would make."""
        name = self._known_name()
        machine = find_machine(self.project, name, self._environment) if name else None
        synced = synced_roots(self.project, machine) if machine else []
        given = [self._root] if self._root else []
        physical = [root._replace(local=os.path.realpath(root.local)) for root in synced]  # where a link leads there
        others = [root for root in dict.fromkeys([*synced, *physical]) if not (given and root.local == self._local)]
        return [*given, *others] or [Root(self.project.directory, "/vagrant")]

    def unmapped_error(self, directory: str) -> None:
        """See base.Driver."""

    def selector(self, caller: Caller) -> Hashable:
        """See base.Driver."""
        return (self.project, self._known_name(), self._connect_options, *map(caller.environment.get, ENV_VARS))

    def resolve(self, caller: Caller) -> VagrantTarget:
        """See base.Driver. Asks Vagrant only where it has to choose the machine."""
        name = self._known_name() or self._choose(caller)
        machine = find_machine(self.project, name, caller.environment)
        key = ("vagrant", self.selector(caller), machine and machine.id)
        known = MachineKnownHosts(self._environment, self.project.dotfile, name)

        def connect(caller: Caller) -> SshConnection:
            return VagrantConnector(self.project, name, caller, self._cache, known, self._connect_options).connect()

        return VagrantTarget(f"vagrant {name}", key, connect)

    def ssh_options(self, environment: Mapping[str, str]) -> SshOptions | None:
        """How ssh reaches the machine, as far as Vagrant said so before. Raises ConnectError."""
        name = self._known_name()
        machine = find_machine(self.project, name, environment) if name else None
        if not name or not machine:
            return None
        file = answer_file(name)
        if self._cache.read(file, answer_key(self.project, machine)) is None:
            return None
        return Query(SshQueryRequest(name, ssh_config=self._cache.path(file)), environment).options()

    def _known_name(self) -> str | None:
        """The machine's name as far as it is known without Vagrant."""
        if self._given:
            return self._given
        if known_machines(self.project) == [ONLY_MACHINE] and created_machines(self.project, ONLY_MACHINE):
            return ONLY_MACHINE
        return self._cache.read(CHOICE_FILE, self.project.stamp())

    def _choose(self, caller: Caller) -> str:
        """The machine that Vagrant itself takes: the only one, or the one that is called primary."""
        is_created = any(created_machines(self.project, name) for name in known_machines(self.project))
        if not is_created and not self._connect_options.auto_up:
            raise ConnectError("the Vagrant machine is not created", "", f"type `vagrant up`, or {AUTO_UP}")
        vagrant = VagrantCommand(self.project, caller)
        names = list(vagrant.states())
        name = names[0] if len(names) == 1 else vagrant.target()
        if name is None:
            why = f"`{self.project.vagrantfile}` has {listed(names, LIST_LIMIT)}, and none is primary"
            raise ConnectError("several Vagrant machines match", why, f'write `machine = "{names[0]}"`')
        with contextlib.suppress(OSError):
            self._cache.write(CHOICE_FILE, self.project.stamp(), name)
        return name


class VagrantTarget:
    """A machine. See base.Target."""

    driver = "vagrant"

    def __init__(self, name: str, key: Hashable, connect: Callable[[Caller], SshConnection]) -> None:
        self.name = name
        self.key = key
        self._connect = connect
        self._options: SshOptions | None = None

    def options(self, caller: Caller, pty: Pty | None) -> ChannelOptions:
        """What the answer of `vagrant ssh-config` and the user's ssh configuration say, as of the last connect."""
        return ChannelOptions(pty, variables(self._options, caller))

    def connect(self, caller: Caller) -> SshConnection:
        """See base.Target."""
        connection = self._connect(caller)
        self._options = connection.options
        return connection

    def release(self) -> None:
        """See base.Target."""
