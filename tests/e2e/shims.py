"""Shims, written by the installed `rdoctl` and called as an editor calls them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from typing import Any

from tests.e2e.project import TIMEOUT, Project, Result

BARE = "/usr/bin:/bin"
"""PATH as a program has it that no shell started."""


def add(project: Project, *names: str) -> None:
    """Have `rdoctl shim add` write them."""
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
    """The environment of an editor; but what isolates the tests has to stay."""
    return {**project.environment, "PATH": BARE}


def call(project: Project, name: str, *words: str, env: Mapping[str, str] | None = None, **more: Any) -> Result:
    """Call a shim as an editor does."""
    more = {"cwd": "/", "stdin": subprocess.DEVNULL, **more} if "input" not in more else {"cwd": "/", **more}
    command = [str(project.local / ".rdo/bin" / name), *words]
    environment = {**bare(project), **(env or {})}
    return subprocess.run(command, env=environment, capture_output=True, timeout=TIMEOUT, check=False, **more)


def directory_there(project: Project, **more: Any) -> str:
    """The directory of the target in which a shim `sh` runs, as it is there: output may have its paths mapped."""
    result = call(project, "sh", "-c", "pwd | tr / '|'", **more)
    return result.stdout.decode().rstrip("\n").replace("|", "/")
