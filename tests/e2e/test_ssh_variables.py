"""Tests for SendEnv and SetEnv: requested as by ssh, so that the server's AcceptEnv applies, and with each caller's own
values.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.project import TIMEOUT, Project, ssh_project
from tests.leaks import wait_until
from tests.sshd import Sshd

pytestmark = pytest.mark.usefixtures("lent")

TICK = 0.02
"""Seconds, more than the resolution of a process's start time: a command exists here longer before its shell starts."""

SHOWN = 'echo "$A,$B,$PATH"'


@pytest.fixture
def sending(own_sshd: Callable[..., Sshd], tmp_path: Path, runtime: dict[str, str]) -> Callable[..., Project]:
    """A project whose ssh configuration has these lines, on a server that accepts A and B and has its own PATH."""

    def make(*lines: str) -> Project:
        server = own_sshd("AcceptEnv A B")
        server.environment |= {"PATH": "/usr/bin:/bin:/own"}
        server.start()
        project = ssh_project(tmp_path, runtime, server)
        server.ssh_config(extra=lines)
        return project

    return make


def shown(project: Project, *words: str, **variables: str) -> str:
    result = project.run(*words, "-c", SHOWN, env=variables)
    assert result.stderr == b""
    return result.stdout.decode().rstrip("\n")


def test_the_server_decides_what_it_accepts(sending: Callable[..., Project]) -> None:
    project = sending("SendEnv *")
    for _ in range(2):  # cold, and warm
        assert shown(project, A="x", C="y") == "x,,/usr/bin:/bin:/own"


def test_each_command_has_the_values_of_its_own_caller(sending: Callable[..., Project]) -> None:
    project = sending("SendEnv A B")
    for turn in ("1", "1", "2", "", "1"):
        variables = {"A": turn} if turn else {}
        assert shown(project, **variables) == f"{turn},,/usr/bin:/bin:/own"


def test_two_callers_with_other_values_do_not_mix(sending: Callable[..., Project]) -> None:
    project = sending("SendEnv A")
    project.run("true")
    script = 'for i in 1 2 3 4 5 6; do A=$i rdo -c "sleep 0.2; echo $i,\\$A" & done; wait'
    lines = project.shell(script).stdout.split()
    assert sorted(lines) == [f"{n},{n}".encode() for n in range(1, 7)]


def test_set_env_takes_precedence_and_rdos_own_variables_over_both(sending: Callable[..., Project]) -> None:
    project = sending("SendEnv A B", "SetEnv B=set")
    assert shown(project, A="sent", B="sent").startswith("sent,set,")
    assert shown(project, "-e", "B=typed", A="sent").startswith("sent,typed,")


def test_a_warm_shell_is_used_only_while_the_values_are_the_same(sending: Callable[..., Project]) -> None:
    project = sending("SendEnv A")
    assert wait_until(lambda: is_warm(project, "x"), TIMEOUT)
    assert not is_warm(project, "y")


def is_warm(project: Project, value: str) -> bool:
    """Whether a command's shell existed before the command was typed."""
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    began = project.run("-c", "cut -d' ' -f22 /proc/$$/stat", env={"A": value}).stdout
    return int(began) / os.sysconf("SC_CLK_TCK") < before - TICK
