"""Installs rdo from a wheel into a new environment, as `pip install rdo` would do for a user."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.command import BenchmarkError

TREE = Path(__file__).resolve().parent.parent

INSTALL_TIMEOUT = 300.0
"""Seconds for pip, which may fetch the dependencies over a slow connection."""


def install(directory: Path) -> Path:
    """Create the environment in `directory`, and return its directory of programs. Raises BenchmarkError.

    It has no pip and no setuptools of its own: the `.pth` file of the latter makes every start of Python slower.
    """
    venv.create(directory, symlinks=True)
    programs = directory / "bin"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(programs / "python")]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [*pip, "install", "--quiet", "--compile", str(TREE)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=INSTALL_TIMEOUT,
        check=False,
        text=True,
    )
    if done.returncode != 0:
        raise BenchmarkError(f"the wheel cannot be installed: {done.stderr.strip()}")
    return programs
