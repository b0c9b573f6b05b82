"""Tests for identifying processes by a unique name and by number, with and without /proc."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from rdo.drivers.docker.image_container import container_name
from rdo.util import process
from tests.conftest import require

TIMEOUT = 10.0
"""Seconds for a child that does nothing to end."""

IDLE = [sys.executable, "-c", "import sys; print('ready', flush=True); sys.stdin.read()", "marked"]
WAITING = [sys.executable, "-I", "-S", "-c", "input()"]
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
        assert child.wait(TIMEOUT) == -9


def test_a_process_is_known_by_its_name_until_it_has_ended() -> None:
    with subprocess.Popen(WAITING, stdin=subprocess.PIPE) as child:
        named = process.process_name(child.pid)
        assert process.is_running(named)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not process.is_running(named), "a zombie has ended"
    assert not process.is_running(named)


@pytest.mark.parametrize("named", ["", "x", "1", f"{os.getpid()} 1", "-1 1", "99999999999999999999 1"], ids=range(6))
def test_a_name_of_no_process_is_not_running(named: str) -> None:
    assert not process.is_running(named)


def test_processes_of_one_boot_and_namespace_have_the_same_space() -> None:
    program = "from rdo.util import process; print(process.pid_space())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == process.pid_space() != ""


@pytest.mark.parametrize(("root", "shown"), [("/work/my app", "my-app"), ("/", "project"), ("/x/\u6f22", "project")])
def test_a_container_is_named_after_its_project(root: str, shown: str) -> None:
    assert container_name(root).startswith(f"rdo-{shown}-")
