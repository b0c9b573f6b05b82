"""Host keys of Vagrant machines: a known_hosts file for each, in which it is known by its id."""

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
    """The recorded keys of the machine that goes by one name in one project; of its present id, and of earlier ones.

    Vagrant asks ssh to check nothing, since a machine that was re-created has a new key on an old port. Its id tells
    the two apart: the first key is recorded, another key of the same id is refused, by rdo.drivers.ssh.host_key.
    """

    def __init__(self, environment: Mapping[str, str], project: str, name: str) -> None:
        above = private_directory.state_directory(environment, "vagrant")
        self.path = os.path.join(above, file_name(project, f"{name}.known_hosts"))

    def guard(self, options: SshOptions, machine: VagrantMachine) -> SshOptions:
        """The options with this file in the place of no check at all. A check that the Vagrantfile asks for stays."""
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
            quiet=options.quiet and not notice,  # Vagrant's `LogLevel FATAL` is about what ssh itself would say
        )

    def settle(self, machine: VagrantMachine) -> None:
        """Forget the keys of earlier machines, now that the present one has shown its own."""
        entries = known_hosts.load([self.path])
        kept = [entry for entry in entries if entry.is_about(host_key_alias(machine))]
        if kept and len(kept) < len(entries):
            lines = [known_hosts.format_line(host_key_alias(machine), entry.key, None) + "\n" for entry in kept]
            with contextlib.suppress(OSError):
                atomic_write.write(self.path, "".join(lines))

    def _notice(self, machine: VagrantMachine) -> str:
        """What to say when a key is recorded: nothing for the first machine, which replaces none."""
        entries = known_hosts.load([self.path])
        if not entries or any(entry.is_about(host_key_alias(machine)) for entry in entries):
            return ""
        return f"`vagrant {machine.name}` was re-created: its new host key replaces the recorded one"


def host_key_alias(machine: VagrantMachine) -> str:
    """The name by which the machine is known: nothing that is a pattern in a known_hosts file, in lower case there."""
    return "vagrant-" + re.sub(r"[^a-z0-9._-]", "_", machine.id.lower())
