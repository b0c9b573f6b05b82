"""Masters that `rdoctl stop` is to end, and a command that runs meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from tests.e2e.project import Project

RUNNING = ("sh", "-c", "echo ready; read -r line; echo $line")


def pids(project: Project) -> list[int]:
    """The process IDs of all masters that reply."""
    return [master["pid"] for master in status(project)]


def status(project: Project) -> list[dict[str, Any]]:
    """The output of `rdoctl status --json`."""
    masters: list[dict[str, Any]] = json.loads(project.shell("rdoctl status --json").stdout)
    return masters


def targets(project: Project) -> list[dict[str, Any]]:
    """The targets of all masters."""
    return [target for master in status(project) for target in master["targets"]]


def runtime_directory(project: Project) -> str:
    """The directory of the sockets."""
    return os.path.join(project.environment["XDG_RUNTIME_DIR"], "rdo")


def begin(project: Project) -> subprocess.Popen[bytes]:
    """Start a command that waits for a line."""
    command = project.start(*RUNNING)
    assert command.stdout is not None
    assert command.stdout.readline() == b"ready\n"
    return command
