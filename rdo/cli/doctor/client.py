"""`rdoctl doctor`: which client `rdo` is, the one in C or the one in Python, and why."""

from __future__ import annotations

import os
import shutil
import sys
from importlib import metadata
from pathlib import Path

from rdo.cli.doctor.check import Finding, ok, warning

SCRIPT = b"#!"
"""The first bytes of the launcher of the client in Python, but of no compiled program."""

REASON = "extra_metadata/client.txt"
"""Where hatch_build.py writes why the client in C could not be compiled."""

REMEDY = "with a C compiler, reinstalling rdo compiles a faster one"


def find() -> Finding:
    """The client that a command line starts."""
    beside = Path(os.path.abspath(sys.argv[0])).with_name("rdo")
    found = shutil.which("rdo")
    if found is None:
        return warning(f"`rdo` is at {beside}, which is not in PATH", f"add `{beside.parent}` to PATH")
    if not _is_beside(found, beside):
        return warning(f"`rdo` is {found}, not the one beside rdoctl, {beside}", "remove one of the two")
    if not _is_script(Path(found)):
        return ok(f"{found}, compiled")
    why = _reason()
    return ok(f"{found}, in Python" + (f": {why}" if why else "") + f"; {REMEDY}")


def _is_beside(found: str, beside: Path) -> bool:
    """Whether links lead from `found` to the directory of `beside`."""
    return os.path.dirname(os.path.realpath(found)) == os.path.dirname(os.path.realpath(beside))


def _is_script(program: Path) -> bool:
    with program.open("rb") as file:
        return file.read(len(SCRIPT)) == SCRIPT


def _reason() -> str:
    """Why there is no client in C; empty if that was not recorded."""
    try:
        return (metadata.distribution("rdo").read_text(REASON) or "").strip()
    except metadata.PackageNotFoundError:
        return ""
