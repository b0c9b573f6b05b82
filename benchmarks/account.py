"""Provides a user with a given login shell. sshd takes the shell from the passwd file, so root creates such a user."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.command import BenchmarkError, Skipped

ALIKE = {"sh": ("sh", "dash", "ash", "bash"), "bash": ("bash",)}
"""Login shells that are good enough: with an empty home directory, bash reads as little as sh does."""

SBIN = "/usr/sbin:/sbin:/usr/local/sbin"
REMOVE_TIMEOUT = 10.0
"""Seconds for the last process of a user to end. Until then, the user cannot be removed."""


_PREFIX = "rdo-bench-"
_numbers = itertools.count(1)
"""Numbers the users that this run creates. A name consists of the prefix, the shell, the process ID and a number."""


@dataclass(frozen=True)
class Account:
    """A user of this machine, and the home directory for its sessions."""

    name: str
    home: Path


@contextlib.contextmanager
def account(shell: str, home: Path) -> Iterator[Account]:
    """A user whose login shell is /bin/SHELL: a temporary one as root, or else the current user, if it has that shell.

    Users left behind by killed runs are removed if they have no processes. Raises Skipped.
    """
    home.mkdir(parents=True)
    useradd = shutil.which("useradd", path=SBIN)
    if os.getuid() != 0 or useradd is None:
        me = pwd.getpwuid(os.getuid())
        if os.path.basename(me.pw_shell) not in ALIKE[shell]:
            raise Skipped(f"needs root and useradd, or a user whose login shell is {shell}")
        yield Account(me.pw_name, home)
        return
    for left in filter(_is_left_behind, pwd.getpwall()):
        with contextlib.suppress(BenchmarkError):  # it may still have a process
            _run([_userdel(), left.pw_name])
    name = f"{_PREFIX}{shell}-{os.getpid()}-{next(_numbers)}"
    # No password matches `*`. With the default, `!`, sshd considers the user locked.
    _run([useradd, "-M", "-d", str(home), "-s", f"/bin/{shell}", "-p", "*", "-c", "made by rdo's benchmarks", name])
    try:
        shutil.chown(home, name)
        yield Account(name, home)
    finally:
        _remove(name)


def _is_left_behind(user: pwd.struct_passwd) -> bool:
    found = re.fullmatch(rf"{_PREFIX}\w+-(\d+)-\d+", user.pw_name)
    return found is not None and not Path("/proc", found[1]).exists()


def _remove(name: str) -> None:
    deadline = time.monotonic() + REMOVE_TIMEOUT
    while _exists(name):
        try:
            _run([_userdel(), name])
        except BenchmarkError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)  # nothing reports when the last process of a user has ended


def _userdel() -> str:
    return shutil.which("userdel", path=SBIN) or "userdel"


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True, timeout=30)
    if done.returncode != 0:
        raise BenchmarkError(f"`{' '.join(command)}`: {done.stderr.strip()}")
