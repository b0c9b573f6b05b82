"""A target of the vagrant driver, and which machine Vagrant would choose."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from rdo.config.forwards import NO_FORWARDS, ForwardSet
from rdo.drivers.base import ChannelOptions, Pty
from rdo.drivers.caller import Caller
from rdo.drivers.ssh.options import SshOptions, variables
from rdo.drivers.vagrant.command import AUTO_UP, VagrantCommand
from rdo.drivers.vagrant.output import LIST_LIMIT
from rdo.drivers.vagrant.project import VagrantProject, created_machines, known_machines
from rdo.drivers.vagrant.store import CHOICE_FILE, VagrantCache
from rdo.errors import ConnectError
from rdo.util.phrases import listed

if TYPE_CHECKING:
    from rdo.drivers.ssh.connection import SshConnection


class VagrantTarget:
    """A Vagrant machine. See base.Target."""

    driver = "vagrant"
    found_by = ""
    is_current = True
    variables_read: frozenset[str] = frozenset()

    def __init__(self, name: str, directory: str, key: Hashable, connect: Callable[[Caller], SshConnection]) -> None:
        """`directory` is that of the Vagrantfile."""
        self.name = name
        self.details = {"directory": directory}
        self.key = key
        self._connect = connect
        self._options: SshOptions | None = None

    @property
    def forwards(self) -> ForwardSet:
        """See base.Target: the forwards in the output of `vagrant ssh-config`, as of the last connect."""
        return self._options.forwards if self._options else NO_FORWARDS

    def options(self, caller: Caller, pty: Pty | None) -> ChannelOptions:
        """What `vagrant ssh-config` and the user's ssh configuration set, as of the last connect."""
        return ChannelOptions(pty, variables(self._options, caller))

    def connect(self, caller: Caller) -> SshConnection:
        """See base.Target."""
        connection = self._connect(caller)
        self._options = connection.options
        return connection

    def serves_here(self, here: int, there: int) -> bool:
        """See base.Target."""
        return False

    def release(self) -> None:
        """See base.Target."""


def choose(project: VagrantProject, caller: Caller, cache: VagrantCache, *, auto_up: bool) -> str:
    """The machine that Vagrant itself would use: the only one, or the primary one. Raises ConnectError."""
    is_created = any(created_machines(project, name) for name in known_machines(project))
    if not is_created and not auto_up:
        raise ConnectError("the Vagrant machine is not created", "", f"type `vagrant up`, or {AUTO_UP}")
    vagrant = VagrantCommand(project, caller)
    names = list(vagrant.states())
    name = names[0] if len(names) == 1 else vagrant.target()
    if name is None:
        why = f"`{project.vagrantfile}` has {listed(names, LIST_LIMIT)}, and none is primary"
        raise ConnectError("several Vagrant machines match", why, f'write `machine = "{names[0]}"`')
    with contextlib.suppress(OSError):
        cache.write(CHOICE_FILE, project.stamp(), name)
    return name
