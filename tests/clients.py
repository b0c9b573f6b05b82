"""Which client the tests run as `rdo`: the one in C if there is a compiler, unless another one is requested.

RDO_TEST_CLIENT=python selects the client in Python. If it is a directory, that contains another build, as `rdo` beside
links to the other programs.
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
    """Build both clients from the current sources, if this is the environment of `make venv`."""
    if PROGRAMS != TOP / ".venv" / "bin" or shutil.which("make") is None:
        return
    targets = [".venv/python-client/rdo", *([".venv/bin/rdo"] if shutil.which("cc") else [])]
    subprocess.run(["make", "--silent", *targets], cwd=TOP, check=True, stdout=subprocess.DEVNULL)


def directories() -> list[Path]:
    """The directories of the programs, for the start of PATH."""
    return [*([PYTHON_CLIENT if CHOSEN == "python" else Path(CHOSEN)] if CHOSEN else []), PROGRAMS]


def all_of_them() -> list[str]:
    """Parametrises a test with every client, except for those that are not requested or not available."""
    return ["native", "python"] if is_native() and not CHOSEN else [""]


def path(client: str, rest: str) -> dict[str, str]:
    """PATH with the client of that name first; unchanged for the empty name."""
    directory = {"native": PROGRAMS, "python": PYTHON_CLIENT}
    return {"PATH": f"{directory[client]}:{rest}" if client else rest}


def is_native(directory: Path | None = None) -> bool:
    """Whether `rdo` in that directory, or the one of this run, is a client in C. A checker may start it by a script."""
    directory = directory or directories()[0]
    with (directory / "rdo").open("rb") as program:
        return program.read(2) != b"#!" or directory not in (PROGRAMS, PYTHON_CLIENT)
