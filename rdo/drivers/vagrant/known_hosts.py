"""Host keys of Vagrant machines: each machine has its own known_hosts file, in which it is known by its id."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping

from rdo.drivers.ssh import known_hosts
from rdo.drivers.ssh.options import SshOptions
from rdo.drivers.vagrant.project import VagrantMachine
from rdo.drivers.vagrant.store import file_name
from rdo.util import atomic_write, private_directory


class MachineKnownHosts:
    """The recorded host keys of a machine in a project, for its current id and for earlier ones.

    Vagrant tells ssh to check no host keys, since a re-created machine has a new key on an old port. The id tells the
    two cases apart: the first key of an id is recorded, and another key for the same id is refused, by
    rdo.drivers.ssh.host_key.
    """

    def __init__(self, environment: Mapping[str, str], project: str, name: str) -> None:
        above = private_directory.state_directory(environment, "vagrant")
        self.path = os.path.join(above, file_name(project, f"{name}.known_hosts"))

    def guard(self, options: SshOptions, machine: VagrantMachine) -> SshOptions:
        """The options with this file in place of no check. A check that the Vagrantfile asks for is left as it is."""
        if options.strict_host_key_checking != "no":
            return options
        notice = self._notice(machine)
        return options._replace(
            host_key_alias=host_key_alias(machine),
            known_hosts=(self.path,),
            global_known_hosts=(),
            strict_host_key_checking="accept-new",
            hash_known_hosts=False,
            new_key_notice=notice,
            quiet=options.quiet and not notice,  # Vagrant's `LogLevel FATAL` is for the messages of ssh itself
        )

    def settle(self, machine: VagrantMachine) -> None:
        """Remove the keys of earlier machines, now that the current one has shown its key."""
        entries = known_hosts.load([self.path])
        kept = [entry for entry in entries if entry.is_about(host_key_alias(machine))]
        if kept and len(kept) < len(entries):
            lines = [known_hosts.format_line(host_key_alias(machine), entry.key, None) + "\n" for entry in kept]
            with contextlib.suppress(OSError):
                atomic_write.write(self.path, "".join(lines))

    def _notice(self, machine: VagrantMachine) -> str:
        """The message when a key is recorded; empty for the first machine, which replaces none."""
        entries = known_hosts.load([self.path])
        if not entries or any(entry.is_about(host_key_alias(machine)) for entry in entries):
            return ""
        return f"`vagrant {machine.name}` was re-created: its new host key replaces the recorded one"


def host_key_alias(machine: VagrantMachine) -> str:
    """The name by which the known_hosts file knows the machine: lower case, and nothing that would be a pattern
    there."""
    return "vagrant-" + re.sub(r"[^a-z0-9._-]", "_", machine.id.lower())
