"""A cache of Vagrant's answers: private files in a directory of rdo's own.

Each answer is stored with a key, and is valid as long as its subject has the same key. This module does not interpret
answers.
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
"""Seconds between attempts to get a lock, since flock(2) has no timeout."""

ANSWER_LIMIT = 1024 * 1024
"""Bytes of an answer; `vagrant ssh-config` prints some hundred."""

KEY_PREFIX = "# rdo: "
"""The start of the first line of a file, which holds the key; the rest is the answer. To ssh it is a comment."""

CHOICE_FILE = "machine"
"""The answer that says which machine Vagrant uses if none is named."""


class VagrantCache:
    """Cached answers about one project. If one is lost, Vagrant is asked again."""

    def __init__(self, environment: Mapping[str, str], project: str) -> None:
        """`project` is a path that identifies the project: its state directory."""
        self._directory = private_directory.cache_directory(environment, "vagrant")
        self._project = project

    def path(self, name: str) -> str:
        """The file of an answer."""
        return os.path.join(self._directory, file_name(self._project, name))

    def read(self, name: str, key: Sequence[object]) -> str | None:
        """The answer, if there is one with this key."""
        with contextlib.suppress(OSError):
            first, _, rest = foreign_file.read_text(self.path(name), ANSWER_LIMIT).partition("\n")
            if first == KEY_PREFIX + json.dumps(key):
                return rest
        return None

    def write(self, name: str, key: Sequence[object], answer: str) -> None:
        """Store an answer atomically, replacing an earlier one. Raises OSError."""
        private_directory.make(self._directory)
        atomic_write.write(self.path(name), f"{KEY_PREFIX}{json.dumps(key)}\n{answer}")

    def drop(self, name: str) -> None:
        """Remove an answer."""
        with contextlib.suppress(OSError):
            os.unlink(self.path(name))

    @contextlib.contextmanager
    def lock(self, name: str, deadline: float, on_wait: Callable[[], None]) -> Iterator[bool]:
        """Hold a lock against other control masters; the value is whether there was a wait for it.

        Raises TimeoutError after `deadline` seconds, and OSError. The lock ends with its owner, so it is never stale.
        """
        private_directory.make(self._directory)
        handle = os.open(self.path(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            yield _wait_for(handle, time.monotonic() + deadline, on_wait)
        finally:
            os.close(handle)


def file_name(project: str, name: str) -> str:
    """A readable file name for something about a project, which differs from every other project's."""
    digest = sha256_hex(fsencode(project))[:16]
    return re.sub(r"[^\w.-]", "_", f"{os.path.basename(os.path.dirname(project))}-{digest}.{name}")


def answer_file(name: str) -> str:
    """The name under which Vagrant's answer about the machine is stored."""
    return f"{name}.ssh_config"


def answer_key(project: VagrantProject, machine: VagrantMachine) -> list[object]:
    """The key on which Vagrant's answer depends."""
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
