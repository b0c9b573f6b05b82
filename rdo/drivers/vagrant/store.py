"""What rdo keeps about Vagrant machines: Vagrant's answers, and host keys. Private files, in directories of rdo's own.

An answer is kept with a key, and counts as long as what it was asked about has the same key; what it means is not known
here. Host keys are in a known_hosts file for each machine, in which that is known by its id.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from rdo.drivers.ssh import known_hosts
from rdo.drivers.ssh.options import SshOptions
from rdo.drivers.vagrant.project import VagrantMachine
from rdo.fscodec import fsencode
from rdo.util import atomic_write, foreign_file, private_directory

LOCK_INTERVAL = 0.2
"""Seconds between two tries for a lock: flock(2) with a deadline cannot be had otherwise."""

ANSWER_LIMIT = 1024 * 1024
"""Bytes of an answer: `vagrant ssh-config` has some hundred."""

KEY_PREFIX = "# rdo: "
"""Begins the first line of a file, which holds the key; the rest is the answer. A comment, to ssh."""


class VagrantCache:
    """Answers about one project. A lost one is asked for again."""

    def __init__(self, environment: Mapping[str, str], project: str) -> None:
        """`project` is a path that no other project has: that of Vagrant's state directory."""
        self._directory = directory(environment, "XDG_CACHE_HOME", ".cache")
        self._project = project

    def path(self, name: str) -> str:
        """The file of an answer."""
        return os.path.join(self._directory, file_name(self._project, name))

    def read(self, name: str, key: Sequence[object]) -> str | None:
        """The answer, if it is there and its key is this one."""
        with contextlib.suppress(OSError):
            first, _, rest = foreign_file.read_text(self.path(name), ANSWER_LIMIT).partition("\n")
            if first == KEY_PREFIX + json.dumps(key):
                return rest
        return None

    def write(self, name: str, key: Sequence[object], answer: str) -> None:
        """Keep an answer in the place of an older one, in one step. Raises OSError."""
        private_directory.make(self._directory)
        atomic_write.write(self.path(name), f"{KEY_PREFIX}{json.dumps(key)}\n{answer}")

    def drop(self, name: str) -> None:
        """Forget an answer."""
        with contextlib.suppress(OSError):
            os.unlink(self.path(name))

    @contextlib.contextmanager
    def lock(self, name: str, deadline: float, on_wait: Callable[[], None]) -> Iterator[bool]:
        """Keep other control masters out, after waiting for them; gives whether there was a wait.

        Raises TimeoutError after `deadline` seconds, OSError. The lock dies with its owner, so it is never stale.
        """
        private_directory.make(self._directory)
        handle = os.open(self.path(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            yield _wait_for(handle, time.monotonic() + deadline, on_wait)
        finally:
            os.close(handle)


class MachineKnownHosts:
    """The recorded keys of the machine that goes by one name in one project; of its present id, and of earlier ones.

    Vagrant asks ssh to check nothing, since a machine that was re-created has a new key on an old port. Its id tells
    the two apart: the first key is recorded, another key of the same id is refused, by rdo.drivers.ssh.host_key.
    """

    def __init__(self, environment: Mapping[str, str], project: str, name: str) -> None:
        above = directory(environment, "XDG_STATE_HOME", ".local/state")
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


def directory(environment: Mapping[str, str], variable: str, default: str) -> str:
    """rdo's directory for Vagrant below an XDG base directory; `default` is that directory's name below HOME."""
    base = environment.get(variable, "")
    if not base.startswith("/"):
        base = os.path.join(environment.get("HOME", "/"), default)
    return os.path.join(base, "rdo", "vagrant")


def file_name(project: str, name: str) -> str:
    """A file's name for something about a project: readable, and no other project's."""
    digest = hashlib.sha256(fsencode(project)).hexdigest()[:16]
    return re.sub(r"[^\w.-]", "_", f"{os.path.basename(os.path.dirname(project))}-{digest}.{name}")


def host_key_alias(machine: VagrantMachine) -> str:
    """The name by which the machine is known: nothing that is a pattern in a known_hosts file, in lower case there."""
    return "vagrant-" + re.sub(r"[^a-z0-9._-]", "_", machine.id.lower())


def _wait_for(handle: int, end: float, on_wait: Callable[[], None]) -> bool:
    waited = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return waited
        except BlockingIOError:
            if time.monotonic() > end:
                raise TimeoutError("another one has not ended") from None
        if not waited:
            on_wait()
        waited = True
        time.sleep(LOCK_INTERVAL)
