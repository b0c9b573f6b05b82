"""What the client really loads, seen from inside a fresh interpreter. See test_layers for what its sources say."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

ALLOWED = frozenset(
    {"_signal", "_socket", "_struct", "_thread", "errno", "fcntl", "os", "select", "struct", "sys", "termios", "time"}
)
"""0-3 ms together; measured one by one before they were let in."""

CLIENT = frozenset(
    {
        "rdo",
        "rdo.__main__",
        "rdo.argv",
        "rdo.client",
        "rdo.control",
        "rdo.discovery",
        "rdo.errors",
        "rdo.output",
        "rdo.protocol",
        "rdo.request",
    }
)

BOUND = 30.0
"""Seconds for an interpreter to start and end on a machine busy with something else."""


def loaded(statement: str) -> frozenset[str]:
    """The modules that a fresh interpreter has loaded after a statement."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    argv = [sys.executable, "-c", program]
    return frozenset(subprocess.run(argv, capture_output=True, text=True, check=True, timeout=BOUND).stdout.split())


@pytest.mark.skipif(importlib.util.find_spec("rdo.client") is None, reason="there is no client yet")
def test_a_command_loads_only_the_client_and_what_is_cheap() -> None:
    # What the entry point imports, and what it imports on its way to a command.
    modules = loaded("import rdo.__main__, rdo.client, rdo.request")
    assert modules - loaded("pass") - ALLOWED - CLIENT == frozenset()


def test_a_terminal_input_and_bulk_load_what_is_cheap_too() -> None:
    modules = loaded("import rdo.stdin, rdo.tty, rdo.splice")
    own = {"rdo.control", "rdo.splice", "rdo.stdin", "rdo.tty"}
    assert modules - loaded("pass") - ALLOWED - CLIENT - own == frozenset()
