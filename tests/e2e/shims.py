"""Shims, written by the installed `rdoctl` and called as an editor calls them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from typing import Any

from tests.e2e.project import TIMEOUT, Project, Result

BARE = "/usr/bin:/bin"
"""The PATH of a program that was not started by a shell."""


def add(project: Project, *names: str) -> None:
    """Write shims with `rdoctl shim add`."""
    result = rdoctl(project, "add", *names)
    assert (result.returncode, result.stderr) == (0, b"")


def rdoctl(project: Project, *words: str, cwd: str = ".") -> Result:
    """Run `rdoctl shim`."""
    command = [os.path.join(project.environment["PATH"].split(os.pathsep)[0], "rdoctl"), "shim", *words]
    environment = dict(project.environment)
    return subprocess.run(
        command, cwd=project.local / cwd, env=environment, capture_output=True, timeout=TIMEOUT, check=False
    )


def bare(project: Project) -> dict[str, str]:
    """The environment of an editor, with the variables that isolate the tests."""
    return {**project.environment, "PATH": BARE}


def call(project: Project, name: str, *words: str, env: Mapping[str, str] | None = None, **more: Any) -> Result:
    """Call a shim as an editor does."""
    more = {"cwd": "/", "stdin": subprocess.DEVNULL, **more} if "input" not in more else {"cwd": "/", **more}
    command = [str(project.local / ".rdo/bin" / name), *words]
    environment = {**bare(project), **(env or {})}
    return subprocess.run(command, env=environment, capture_output=True, timeout=TIMEOUT, check=False, **more)


def directory_there(project: Project, **more: Any) -> str:
    """The directory on the target in which a shim `sh` runs. It is not taken from output, because that may be
    mapped.
    """
    result = call(project, "sh", "-c", "pwd | tr / '|'", **more)
    return result.stdout.decode().rstrip("\n").replace("|", "/")
