"""An ordinary user of this machine to log in as, which root creates temporarily."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.leaks import wait_until

SBIN = "/usr/sbin:/sbin:/usr/local/sbin"

NUMBERS = itertools.count(1)

LOCK_TIMEOUT = 10.0
"""Seconds for others who change the list of users, such as another test process."""

REMOVE_TIMEOUT = 10.0
"""Seconds for the last process of a user to end. Until then, the user cannot be removed."""


def why_not() -> str:
    """Why there can be no such user here; empty if there can be one."""
    if os.getuid() != 0:
        return "root alone can make a user"
    return "" if shutil.which("useradd", path=SBIN) else "useradd is not installed"


@contextlib.contextmanager
def account(home: Path) -> Iterator[str]:
    """Create a user with this home directory. Yields the name."""
    name = f"rdo-test-{os.getpid()}-{next(NUMBERS)}"
    # No password matches `*`. With the default, `!`, sshd considers the user locked.
    words = ("-M", "-d", str(home), "-s", "/bin/sh", "-p", "*", "-c", "made by rdo's tests", name)
    assert wait_until(lambda: _run("useradd", *words, check=False) == 0, LOCK_TIMEOUT)
    try:
        shutil.chown(home, name)
        yield name
    finally:
        assert wait_until(lambda: _run("userdel", name, check=False) == 0, REMOVE_TIMEOUT)


def _run(program: str, *words: str, check: bool = True) -> int:
    path = shutil.which(program, path=SBIN)
    assert path
    return subprocess.run([path, *words], stdin=subprocess.DEVNULL, capture_output=True, check=check).returncode
