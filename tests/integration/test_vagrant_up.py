"""`auto_up`: what a caller is shown of `vagrant up`, by a stand-in for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rdo.drivers.vagrant.driver import VagrantDriver
from rdo.errors import ConnectError
from tests.connecting import connected
from tests.ssh_client import ScriptedCaller
from tests.sshd import Sshd
from tests.vagrant_fake import FakeVagrant
from tests.vagrant_machine import driver


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


def test_who_watches_vagrant_up_sees_its_last_line_and_all_of_them_if_it_fails(vagrant: FakeVagrant) -> None:
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


def test_a_caller_that_goes_away_interrupts_vagrant_up(vagrant: FakeVagrant) -> None:
    class Gone(Exception):
        pass

    class Leaving(ScriptedCaller):
        def report(self, line: str) -> None:
            raise Gone

    vagrant.create()
    vagrant.down(default="poweroff")
    vagrant.answer("up", "trap 'echo cleaned >cleaned; exit 1' INT; echo up; while :; do sleep 0.05; done")
    with pytest.raises(Gone):
        connected(up(vagrant), Leaving(environment=vagrant.environment(os.environ)))
    assert (vagrant.directory / "cleaned").exists()
