"""Tests for when Vagrant is called, and how, with a fake that counts its calls. Its machine is a real sshd."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rdo.drivers.ssh.connection import SshConnection
from rdo.drivers.vagrant.driver import VagrantDriver
from rdo.errors import ConnectError
from tests.connecting import connected
from tests.ssh_client import ScriptedCaller, output
from tests.ssh_server import free_port
from tests.sshd import Sshd
from tests.vagrant_fake import FakeVagrant
from tests.vagrant_machine import driver

Go = Callable[..., ScriptedCaller]

STATUS = "status --machine-readable"
CHOICE = "ssh --machine-readable -- -V"


@pytest.fixture
def vagrant(tmp_path: Path, sshd: Sshd) -> FakeVagrant:
    return FakeVagrant(tmp_path, sshd)


def make(vagrant: FakeVagrant, machine: str | None = None, auto_up: bool = False, **environment: str) -> VagrantDriver:
    return driver(vagrant.project, vagrant.environment({**os.environ, **environment}), machine, auto_up)


@pytest.fixture
def go(vagrant: FakeVagrant) -> Iterator[Go]:
    """Connects once, runs a command, and returns the caller."""
    made: list[SshConnection] = []

    def connect(given: VagrantDriver | None = None) -> ScriptedCaller:
        caller = ScriptedCaller(environment=vagrant.environment(os.environ))
        made.append(connected(given or make(vagrant), caller))
        assert output(made[-1], "echo hello") == (0, "hello\n")
        return caller

    yield connect
    for connection in made:
        connection.close()


def failure(vagrant: FakeVagrant, given: VagrantDriver | None = None) -> str:
    with pytest.raises(ConnectError) as error:
        connected(given or make(vagrant), ScriptedCaller(environment=vagrant.environment(os.environ)))
    return str(error.value)


def test_vagrant_is_called_once_and_not_by_later_masters(vagrant: FakeVagrant, go: Go) -> None:
    vagrant.create()
    go()
    assert vagrant.calls == ["ssh-config default"]
    go()
    go()
    assert vagrant.calls == []


@pytest.mark.parametrize("change", ["the Vagrantfile", "the machine"])
def test_a_change_of_a_dependency_causes_another_call(vagrant: FakeVagrant, go: Go, change: str) -> None:
    vagrant.create()
    go()
    if change == "the machine":
        vagrant.create(identity="id-2")
    else:
        (vagrant.project / "Vagrantfile").write_text("# changed\n")
    go()
    assert vagrant.calls == ["ssh-config default"] * 2


def test_a_refused_connection_causes_one_more_call(vagrant: FakeVagrant, go: Go) -> None:
    vagrant.create()
    working = vagrant.ssh_config()
    vagrant.answer("ssh-config", f"cat <<'END'\n{vagrant.ssh_config(port=free_port())}\nEND")
    assert "connection refused" in failure(vagrant)
    vagrant.answer("ssh-config", f"cat <<'END'\n{working}\nEND")
    go()
    assert vagrant.calls == ["ssh-config default"] * 2


def test_a_port_that_moved_is_found(vagrant: FakeVagrant, go: Go, sshd: Sshd) -> None:
    vagrant.create()
    go()
    path = next((vagrant.directory / "cache").rglob("*.ssh_config"))
    path.write_text(path.read_text().replace(f"Port {sshd.port}", f"Port {free_port()}"))
    go()
    go()
    assert vagrant.calls == ["ssh-config default"] * 2


def test_a_machine_that_vagrant_saw_go_down_is_not_tried_at_its_old_port(vagrant: FakeVagrant, go: Go) -> None:
    vagrant.create()
    go()
    (vagrant.project / ".vagrant/machines/default/docker/index_uuid").write_text("u1")
    index = vagrant.directory / "home/data/machine-index"
    index.mkdir(parents=True)
    (index / "index").write_text('{"machines":{"u1":{"state":"poweroff"}}}')
    vagrant.down(default="poweroff")
    assert "`vagrant default` is poweroff" in failure(vagrant)
    assert vagrant.calls == ["ssh-config default", "ssh-config default", STATUS]


@pytest.mark.parametrize(("state", "command"), [("poweroff", "up"), ("saved", "resume"), ("not_created", "up")])
def test_a_machine_that_is_down_is_named_with_the_command_to_type(
    vagrant: FakeVagrant, state: str, command: str
) -> None:
    vagrant.create()
    vagrant.down(default=state)
    shown = state.replace("_", " ")
    hint = f"type `vagrant {command} default`, or set `auto_up = true`"
    assert failure(vagrant) == f"`vagrant default` is {shown}; {hint}"


def test_a_machine_that_is_not_created_is_recognized_without_vagrant(vagrant: FakeVagrant) -> None:
    expected = "the Vagrant machine is not created; type `vagrant up`, or set `auto_up = true`"
    assert failure(vagrant) == expected
    vagrant.create(identity="")
    assert failure(vagrant) == expected
    assert failure(vagrant, make(vagrant, "default")).startswith("`vagrant default` is not created; ")
    assert vagrant.calls == []


def test_an_unknown_machine_lists_the_names(vagrant: FakeVagrant) -> None:
    vagrant.create("web")
    vagrant.states(web="running", db="running")
    why = f"`{vagrant.project}/Vagrantfile` has `web`, `db`; did you mean `web`?"
    assert failure(vagrant, make(vagrant, "wbe")) == f"there is no machine `wbe`: {why}"


def test_the_primary_machine_is_used_and_determined_once(vagrant: FakeVagrant, go: Go) -> None:
    vagrant.create("web")
    vagrant.states(web="running", db="running")
    vagrant.answer("ssh", "echo 1,web,action,ssh,start")
    vagrant.answer("ssh-config", f"cat <<'END'\n{vagrant.ssh_config(name='web')}\nEND")
    first = make(vagrant)
    assert first.target == "vagrant"
    go(first)
    assert vagrant.calls == [STATUS, CHOICE, "ssh-config web"]
    assert first.target == "vagrant web"
    go()
    assert vagrant.calls == []


def test_the_only_machine_need_not_be_the_default_one(vagrant: FakeVagrant, go: Go) -> None:
    vagrant.create("web")
    vagrant.states(web="running")
    vagrant.answer("ssh-config", f"cat <<'END'\n{vagrant.ssh_config(name='web')}\nEND")
    go()
    assert vagrant.calls == [STATUS, "ssh-config web"]


def test_of_several_machines_without_a_primary_none_is_guessed(vagrant: FakeVagrant) -> None:
    vagrant.create("web")
    vagrant.states(web="running", db="running")
    vagrant.answer("ssh", "echo 1,,ui,error,This command requires a specific VM name; exit 1")
    why = f"`{vagrant.project}/Vagrantfile` has `web`, `db`, and none is primary"
    assert failure(vagrant) == f'several Vagrant machines match: {why}; write `machine = "web"`'


def test_without_vagrant_stored_answers_still_work(vagrant: FakeVagrant, go: Go) -> None:
    vagrant.create()
    go()
    (vagrant.directory / "bin" / "vagrant").unlink()
    lonely = make(vagrant, PATH="/nowhere")
    caller = ScriptedCaller(environment={**vagrant.environment(os.environ), "PATH": "/nowhere"})
    connected(lonely, caller).close()
    (vagrant.project / "Vagrantfile").write_text("# changed\n")
    with pytest.raises(ConnectError) as error:
        connected(lonely, caller)
    assert str(error.value) == "cannot ask Vagrant about its machines: `vagrant` is not in PATH; install Vagrant"


def test_the_key_of_the_same_machine_must_not_change(vagrant: FakeVagrant, go: Go) -> None:
    vagrant.create()
    assert go().told == []
    path = next((vagrant.directory / "state").rglob("*.known_hosts"))
    name, kind, key = path.read_text().split()
    path.write_text(f"{name} {kind} {key[:-4]}AAAA\n")
    assert "the host key of `vagrant-id-1` has changed" in failure(vagrant)
    vagrant.create(identity="id-2")
    assert go().told == ["rdo: `vagrant default` was re-created: its new host key replaces the recorded one"]
    assert [line.split()[0] for line in path.read_text().splitlines()] == ["vagrant-id-2"]
    assert go().told == []


def test_a_failing_vagrantfile_gives_its_own_reason(vagrant: FakeVagrant) -> None:
    vagrant.create()
    vagrant.answer("ssh-config", "exit 1")
    vagrant.answer(
        "status", "printf 'There was an error.\\n\\nPath: /x\\nLine number: 3\\nMessage: bad\\n' >&2; exit 1"
    )
    assert failure(vagrant) == f"`vagrant status` failed: /x:3: bad; try it in `{vagrant.project}`"


def test_with_auto_up_vagrant_is_run_once_however_many_masters_wait(vagrant: FakeVagrant, go: Go) -> None:
    working = f"cat <<'END'\n{vagrant.ssh_config()}\nEND"
    vagrant.create()
    vagrant.down(default="poweroff")
    (vagrant.directory / "next").write_text(working)
    vagrant.answer("up", "echo '==> default: up'; sleep 1; mv next answer-ssh-config; echo done >&2")
    callers: list[ScriptedCaller] = []
    threads = [threading.Thread(target=lambda: callers.append(go(make(vagrant, auto_up=True)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30.0)
    assert len(callers) == 4
    assert vagrant.calls.count("up default") == 1
    told = sorted(caller.told for caller in callers)
    assert told == [["==> default: up", "done"], *[["rdo: waiting for another `vagrant up default`"]] * 3]


def test_callers_with_other_homes_or_providers_get_other_machines(vagrant: FakeVagrant) -> None:
    here = make(vagrant)
    same = vagrant.environment(os.environ)
    changes = [{}, {"HOME": "/elsewhere"}, {"VAGRANT_HOME": "/x"}, {"VAGRANT_DEFAULT_PROVIDER": "libvirt"}]
    assert len({here.selector(ScriptedCaller(environment={**same, **change})) for change in changes}) == len(changes)
    one, other = (ScriptedCaller(environment={**same, "A": value}) for value in "ab")
    assert here.selector(one) == here.selector(other)
