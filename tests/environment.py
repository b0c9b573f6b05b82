"""The environment for rdo in tests, and the control masters that run there."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from rdo.ipc import protocol
from tests import clients
from tests.e2e.masters import answer
from tests.leaks import MARK, Leaks, root_of
from tests.processes import process_numbers, wait_for_ends

STOP_TIMEOUT = 15.0
"""Seconds for masters to end after they were asked to."""


@contextlib.contextmanager
def environment_of(mark: str, leaks: Leaks) -> Iterator[dict[str, str]]:
    """Create an environment for rdo that has nothing of the user's. Its paths are short, because the path of a socket
    is limited to 104 bytes.

    Afterwards, the masters are asked to end; one that does not is a leak.
    """
    root = root_of(mark)
    root.mkdir(mode=0o700)
    before = process_numbers()
    environment = isolated(root, mark)
    yield environment
    if left := leaks.processes(before, mark):
        stop_masters(environment)
        wait_for_ends(left, STOP_TIMEOUT)
    shutil.rmtree(root)


def isolated(root: Path, mark: str) -> dict[str, str]:
    """The variables that a login sets, with directories below `root`, the tests' interpreter first in PATH, and the
    mark. Every target is allowed; permissions have their own tests.
    """
    directories = {
        "HOME": root / "home",
        "XDG_CACHE_HOME": root / "cache",
        "XDG_CONFIG_HOME": root / "config",
        "XDG_RUNTIME_DIR": root / "run",
        "XDG_STATE_HOME": root / "state",
    }
    for directory in directories.values():
        directory.mkdir(mode=0o700)
    path = os.pathsep.join((*map(str, clients.directories()), os.environ.get("PATH", os.defpath)))
    variables = {name: str(directory) for name, directory in directories.items()}
    return variables | {"LANG": "C.UTF-8", "PATH": path, "RDO_TRUST": "1", "TERM": "xterm", MARK: mark}


def stop_masters(environment: dict[str, str]) -> None:
    """Ask the masters to end. The leak check reports those that have not, so a failure here is ignored."""
    for path in Path(environment["XDG_RUNTIME_DIR"], "rdo").glob("*"):
        if path.is_socket():
            with contextlib.suppress(OSError):
                answer(path, protocol.frame(protocol.STOP, b"1"))
