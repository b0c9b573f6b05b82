"""What the client really loads, seen from inside a fresh interpreter. See test_layers for what its sources say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ALLOWED = frozenset(
    {"_signal", "_socket", "_stat", "_thread", "errno", "fcntl", "posix", "select", "sys", "termios", "time"}
)
"""A millisecond each at most; measured one by one before they were let in."""

CLIENT = frozenset(
    {
        "rdo",
        "rdo.__main__",
        "rdo.client",
        "rdo.client.argv",
        "rdo.client.foreground",
        "rdo.client.main",
        "rdo.client.request",
        "rdo.client.run",
        "rdo.client.stdout",
        "rdo.errors",
        "rdo.fscodec",
        "rdo.ipc",
        "rdo.ipc.address",
        "rdo.ipc.protocol",
        "rdo.ipc.request",
        "rdo.ipc.sockets",
        "rdo.project",
    }
)

TOP = Path(__file__).parents[3]

BOUND = 30.0
"""Seconds for an interpreter to start and end on a machine busy with something else."""


def loaded(statement: str) -> frozenset[str]:
    """The modules that a fresh interpreter has loaded after a statement, where `rdo` starts it: without `site`."""
    program = f"import sys\nsys.path.append({str(TOP)!r})\n{statement}\nprint(*sys.modules)"
    argv = [sys.executable, "-S", "-c", program]
    return frozenset(subprocess.run(argv, capture_output=True, text=True, check=True, timeout=BOUND).stdout.split())


def test_a_command_loads_only_the_client_and_what_is_cheap() -> None:
    # What the entry point imports, and what it imports on its way to a command.
    modules = loaded("import rdo.__main__, rdo.client.main, rdo.client.request")
    assert modules - loaded("pass") - ALLOWED - CLIENT == frozenset()


def test_a_terminal_input_and_bulk_load_what_is_cheap_too() -> None:
    modules = loaded("import rdo.client.stdin, rdo.client.tty, rdo.client.splice")
    own = {"rdo.ipc.sockets", "rdo.client.splice", "rdo.client.stdin", "rdo.client.tty", "rdo.ipc.terminal_modes"}
    assert modules - loaded("pass") - ALLOWED - CLIENT - own == frozenset()
