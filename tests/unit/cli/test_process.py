"""Processes by number, with /proc and without."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from rdo.cli import process
from tests.conftest import require

BOUND = 10.0
"""Seconds for a child that does nothing to end."""

IDLE = [sys.executable, "-c", "import sys; print('ready', flush=True); sys.stdin.read()", "marked"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True); signal.pause()",
]


@pytest.mark.parametrize("proc", ["/proc", "/nonexistent"])
def test_a_process_is_seen_with_memory_and_command_until_it_has_ended(proc: str) -> None:
    if proc != "/proc" and shutil.which("ps") is None:
        require("ps", "it is not installed")
    with subprocess.Popen(IDLE, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        seen = process.look(child.pid, proc)
        assert seen is not None
        assert seen.command.endswith(" marked")
        assert 2**20 < seen.memory < 2**27
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process.look(child.pid, proc) is None, "a zombie has ended"
    assert process.look(child.pid, proc) is None


def test_one_that_ignores_term_is_killed() -> None:
    with subprocess.Popen(STUBBORN, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert not process.wait(child.pid, 0)
        assert process.end(child.pid, 0.2)
        assert child.wait(BOUND) == -9
