"""Wheels of this checkout, and virtual environments in which they are installed."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tests.clients import TOP
from tests.e2e.project import Project

BUILD_TIMEOUT = 300.0
"""Seconds for pip and a compiler on a busy machine."""

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def build(directory: Path, **variables: str) -> Path:
    """Build a wheel with the installed hatchling. `pip wheel` would use the same one, but start it three times."""
    directory.mkdir()
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(directory)]
    run(command, {**os.environ, **variables}, cwd=TOP)
    (wheel,) = directory.iterdir()
    return wheel


def install(wheel: Path, environment: Path) -> Path:
    """Install the wheel, or install it again, with the existing dependencies and pip. Returns the environment.

    As with uv, Python compiles modules when they are used. The dependencies are hidden from pip, since it would read
    the metadata of each.
    """
    if not environment.exists():
        run([sys.executable, "-m", "venv", "--without-pip", str(environment)])
        (environment / "pip-alone").mkdir()
        (environment / "pip-alone" / "pip").symlink_to(Path(sysconfig.get_path("purelib"), "pip"))
    (packages,) = environment.glob("lib/python3*/site-packages")
    dependencies = packages / "dependencies.pth"
    dependencies.unlink(missing_ok=True)
    pip = (str(environment / "bin" / "python"), *PIP[1:])
    alone = {**os.environ, "PYTHONPATH": str(environment / "pip-alone")}
    run([*pip, "install", "--no-deps", "--no-index", "--no-compile", "--force-reinstall", str(wheel)], alone)
    dependencies.write_text(sysconfig.get_path("purelib") + "\n")
    return environment


def run(command: list[str], environment: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=BUILD_TIMEOUT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def using(project: Project, environment: Path) -> Project:
    """The project with the programs of an environment."""
    path = os.pathsep.join((str(environment / "bin"), "/usr/bin", "/bin"))
    return replace(project, environment={**project.environment, "PATH": path})
