"""Which client the tests run as `rdo`: the one in C, where there is a compiler, or another that is asked for.

RDO_TEST_CLIENT=python is the one in Python; a directory in its place has another build, as `rdo` beside links to the
other programs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[1]
PROGRAMS = Path(sys.executable).parent
PYTHON_CLIENT = PROGRAMS.parent / "python-client"

CHOSEN = os.environ.get("RDO_TEST_CLIENT", "")


def make() -> None:
    """Have both clients be those of the sources as they are now, where this is the environment of `make venv`."""
    if PROGRAMS != TOP / ".venv" / "bin" or shutil.which("make") is None:
        return
    targets = [".venv/python-client/rdo", *([".venv/bin/rdo"] if shutil.which("cc") else [])]
    subprocess.run(["make", "--silent", *targets], cwd=TOP, check=True, stdout=subprocess.DEVNULL)


def directories() -> list[Path]:
    """Where the programs are, for the beginning of PATH."""
    return [*([PYTHON_CLIENT if CHOSEN == "python" else Path(CHOSEN)] if CHOSEN else []), PROGRAMS]


def is_native() -> bool:
    """Whether `rdo` is a client in C."""
    with (directories()[0] / "rdo").open("rb") as program:
        return program.read(2) != b"#!"
