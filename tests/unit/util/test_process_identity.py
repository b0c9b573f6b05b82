"""A process by a name that no other one has."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rdo.drivers.docker.image import container_name
from rdo.util import process_identity

IDLE = [sys.executable, "-I", "-S", "-c", "input()"]


def test_a_process_is_known_by_its_name_until_it_has_ended() -> None:
    with subprocess.Popen(IDLE, stdin=subprocess.PIPE) as child:
        named = process_identity.process_name(child.pid)
        assert process_identity.is_running(named)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not process_identity.is_running(named), "a zombie has ended"
    assert not process_identity.is_running(named)


@pytest.mark.parametrize("named", ["", "x", "1", f"{os.getpid()} 1", "-1 1", "99999999999999999999 1"], ids=range(6))
def test_a_name_of_no_process_is_not_running(named: str) -> None:
    assert not process_identity.is_running(named)


def test_processes_of_one_boot_and_namespace_have_the_same_space() -> None:
    program = "from rdo.util import process_identity; print(process_identity.pid_space())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == process_identity.pid_space() != ""


@pytest.mark.parametrize(("root", "shown"), [("/work/my app", "my-app"), ("/", "project"), ("/x/\u6f22", "project")])
def test_a_container_is_named_after_its_project(root: str, shown: str) -> None:
    assert container_name(root).startswith(f"rdo-{shown}-")
