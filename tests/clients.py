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


def all_of_them() -> list[str]:
    """For a test over each: but for those that were not asked for, or cannot be had."""
    return ["native", "python"] if is_native() and not CHOSEN else [""]


def path(client: str, rest: str) -> dict[str, str]:
    """PATH with the client of that name first; as it is for the empty name."""
    directory = {"native": PROGRAMS, "python": PYTHON_CLIENT}
    return {"PATH": f"{directory[client]}:{rest}" if client else rest}


def is_native(directory: Path | None = None) -> bool:
    """Whether `rdo`, in that directory or the one of this run, is a client in C. A checker may start it by a script."""
    directory = directory or directories()[0]
    with (directory / "rdo").open("rb") as program:
        return program.read(2) != b"#!" or directory not in (PROGRAMS, PYTHON_CLIENT)
