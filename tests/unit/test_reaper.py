"""Tests for the init below which `make test` runs pytest."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests import reaper
from tests.processes import IS_LINUX

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not

ORPHAN = """
import os, time
ended, end = os.pipe()
if not os.fork():
    middle = os.getpid()
    if not os.fork():
        while os.getppid() == middle:
            time.sleep(0.01)
        os.write(end, f"{os.getpid()} {os.getppid()}".encode())
    os._exit(0)
os.wait()
orphan, parent = map(int, os.read(ended, 100).split())
while os.path.exists(f"/proc/{orphan}"):
    time.sleep(0.01)
print(parent == os.getppid())
"""


def run(program: str) -> tuple[str, str, int]:
    argv = [sys.executable, reaper.__file__, "-c", program]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout, done.stderr, done.returncode


@pytest.mark.skipif(not IS_LINUX, reason="only Linux has such processes")
def test_an_orphan_becomes_its_child_and_is_reaped_when_it_ends() -> None:
    assert run(ORPHAN) == ("True\n", "", 0)


@pytest.mark.parametrize(
    ("program", "status"), [("exit(3)", 3), ("import os; os.kill(os.getpid(), 15)", 143)], ids=["exit", "signal"]
)
def test_its_status_is_that_of_the_program(program: str, status: int) -> None:
    assert run(program) == ("", "", status)
