"""What rdo keeps of Vagrant's answers: private files, in a directory of rdo's own.

An answer is kept with a key, and counts as long as what it was asked about has the same key; what it means is not known
here.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from rdo.drivers.vagrant.project import VagrantMachine, VagrantProject
from rdo.fscodec import fsencode
from rdo.util import atomic_write, foreign_file, private_directory
from rdo.util.digest import sha256_hex

LOCK_INTERVAL = 0.2
"""Seconds between two tries for a lock: flock(2) with a deadline cannot be had otherwise."""

ANSWER_LIMIT = 1024 * 1024
"""Bytes of an answer: `vagrant ssh-config` has some hundred."""

KEY_PREFIX = "# rdo: "
"""Begins the first line of a file, which holds the key; the rest is the answer. A comment, to ssh."""

CHOICE_FILE = "machine"
"""Where it is kept which machine Vagrant chooses if none is named."""


class VagrantCache:
    """Answers about one project. A lost one is asked for again."""

    def __init__(self, environment: Mapping[str, str], project: str) -> None:
        """`project` is a path that no other project has: that of Vagrant's state directory."""
        self._directory = private_directory.cache_directory(environment, "vagrant")
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


def file_name(project: str, name: str) -> str:
    """A file's name for something about a project: readable, and no other project's."""
    digest = sha256_hex(fsencode(project))[:16]
    return re.sub(r"[^\w.-]", "_", f"{os.path.basename(os.path.dirname(project))}-{digest}.{name}")


def answer_file(name: str) -> str:
    """Where Vagrant's answer about the machine is kept."""
    return f"{name}.ssh_config"


def answer_key(project: VagrantProject, machine: VagrantMachine) -> list[object]:
    """What Vagrant's answer depends on."""
    return [machine.id, machine.directory, *project.stamp()]


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
