"""Tests for `auto_up`: what a caller is shown of `vagrant up`, with a fake Vagrant."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from rdo.drivers.vagrant.driver import VagrantDriver
from rdo.errors import ConnectError
from tests.connecting import connected
from tests.processes import wait_for_end
from tests.ssh_client import ScriptedCaller
from tests.sshd import Sshd
from tests.vagrant_fake import FakeVagrant
from tests.vagrant_machine import driver

TIMEOUT = 10.0
"""Seconds for a process that was killed to be gone."""


@pytest.fixture
def vagrant(tmp_path: Path, sshd: Sshd) -> FakeVagrant:
    return FakeVagrant(tmp_path, sshd)


def up(vagrant: FakeVagrant) -> VagrantDriver:
    return driver(vagrant.project, vagrant.environment(os.environ), None, True)


def test_a_failing_vagrant_up_is_shown_with_its_reason(vagrant: FakeVagrant) -> None:
    vagrant.create()
    vagrant.down(default="poweroff")
    vagrant.answer("up", "echo Bringing machine up...; echo; echo 'No space left'; exit 1")
    caller = ScriptedCaller(environment=vagrant.environment(os.environ))
    with pytest.raises(ConnectError, match=r"^`vagrant up default` failed: No space left; "):
        connected(up(vagrant), caller)
    assert caller.told == ["Bringing machine up...", "", "No space left"]


def test_a_caller_sees_the_last_line_of_vagrant_up_and_all_lines_if_it_fails(vagrant: FakeVagrant) -> None:
    vagrant.create()
    vagrant.down(default="poweroff")
    vagrant.answer("up", "echo '==> default: up'; echo; echo 'No space left'; exit 1")
    caller = ScriptedCaller(environment=vagrant.environment(os.environ), watches=True)
    with pytest.raises(ConnectError, match="No space left"):
        connected(up(vagrant), caller)
    assert caller.steps[-3:] == ["vagrant up default", "vagrant up: ==> default: up", "vagrant up: No space left"]
    assert caller.told == ["==> default: up", "", "No space left"]
    (vagrant.directory / "next").write_text(f"cat <<'END'\n{vagrant.ssh_config()}\nEND")
    vagrant.answer("up", "echo '==> default: up'; mv next answer-ssh-config")
    caller.told.clear()
    connected(up(vagrant), caller).close()
    assert caller.told == []


class Gone(Exception):
    """Raised when the caller has gone."""


def test_a_caller_that_leaves_interrupts_vagrant_up(vagrant: FakeVagrant) -> None:
    class Leaving(ScriptedCaller):
        def report(self, line: str) -> None:
            raise Gone

    vagrant.create()
    vagrant.down(default="poweroff")
    vagrant.answer("up", "trap 'echo cleaned >cleaned; exit 1' INT; echo up; while :; do sleep 0.05; done")
    with pytest.raises(Gone):
        connected(up(vagrant), Leaving(environment=vagrant.environment(os.environ)))
    assert (vagrant.directory / "cleaned").exists()


class LeavesAt(ScriptedCaller):
    """A caller that leaves some time after a step has begun."""

    def __init__(self, step: str, environment: dict[str, str]) -> None:
        super().__init__(environment=environment)
        self._last = step
        self._begun = 0.0

    def progress(self, step: str) -> bool:
        if step == self._last and self._begun and time.monotonic() > self._begun + 0.3:
            raise Gone
        self._begun = self._begun or (time.monotonic() if step == self._last else 0.0)
        return super().progress(step)


SILENT = {"up": "vagrant up default", "ssh-config": "asking Vagrant (ssh-config default)"}
"""Subcommands, and the steps that are shown meanwhile."""


@pytest.mark.parametrize("words", SILENT)
def test_a_silent_vagrant_is_ended_when_its_caller_leaves(vagrant: FakeVagrant, words: str) -> None:
    vagrant.create()
    vagrant.down(default="poweroff")
    vagrant.answer(words, "echo $$ >running; exec sleep 60")
    with pytest.raises(Gone):
        connected(up(vagrant), LeavesAt(SILENT[words], vagrant.environment(os.environ)))
    wait_for_end(int((vagrant.directory / "running").read_text()), TIMEOUT)
