"""`rdo` and the states of a Vagrant machine, with the real Vagrant."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.project import Project, vagrant_project
from tests.vagrant_machine import VagrantHost, vagrantfile

pytestmark = pytest.mark.long

SSH_CONFIG = "ssh-config default"
STATUS = "status --machine-readable"


@pytest.fixture
def own(tmp_path: Path, runtime: dict[str, str], vagrant_host: VagrantHost) -> Iterator[Project]:
    """A project whose machine is the test's own, and not created yet."""
    project = vagrant_project(tmp_path / "own project", runtime, vagrant_host)
    (project.local / "src").mkdir()
    lines = ["config.ssh.insert_key = false", 'config.vm.synced_folder ".", "/srv/app"']
    vagrant_host.add(project.local, vagrantfile(*lines, 'config.vm.synced_folder ".", "/vagrant", disabled: true'))
    assert vagrant_host.calls is not None
    yield project
    vagrant_host.destroy(project.local)


def test_a_machine_that_was_halted_and_one_that_was_built_anew_are_known_while_the_master_lives(
    own: Project, vagrant_host: VagrantHost
) -> None:
    vagrant_host.run(own.local, "up")
    assert own.run("pwd").stdout == b"/srv/app\n"
    vagrant_host.run(own.local, "halt")
    down = own.run("true")
    hint = "type `vagrant up default`, or set `auto_up = true`"
    assert (down.returncode, down.stderr.decode()) == (255, f"rdo: `vagrant default` is stopped; {hint}\n")
    assert vagrant_host.calls == [SSH_CONFIG, SSH_CONFIG, STATUS]
    vagrant_host.run(own.local, "up")
    assert own.run("pwd").stdout == b"/srv/app\n"
    _is_known_anew(own, vagrant_host)


def _is_known_anew(own: Project, vagrant_host: VagrantHost) -> None:
    """Build it again, on another port and with another key."""
    first = own.run("sh", "-c", "cat /etc/ssh/ssh_host_ed25519_key.pub")
    before = vagrant_host.run(own.local, "ssh-config")
    vagrant_host.run(own.local, "destroy", "--force")
    port = int(next(line.split()[1] for line in before.splitlines() if line.split()[:1] == ["Port"]))
    with socket.create_server(("127.0.0.1", port)):
        vagrant_host.run(own.local, "up")
        second = own.run("sh", "-c", "cat /etc/ssh/ssh_host_ed25519_key.pub")
    assert vagrant_host.run(own.local, "ssh-config") != before
    notice = b"rdo: `vagrant default` was re-created: its new host key replaces the recorded one\n"
    assert (second.returncode, second.stderr) == (0, notice)
    assert first.stdout != second.stdout


def test_auto_up_runs_vagrant_up_once_however_many_commands_wait(own: Project, vagrant_host: VagrantHost) -> None:
    down = own.run("true")
    hint = "type `vagrant up`, or set `auto_up = true`"
    assert (down.returncode, down.stderr.decode()) == (255, f"rdo: the Vagrant machine is not created; {hint}\n")
    assert vagrant_host.calls == []
    own.configure('driver = "vagrant"\nauto_up = true\n[other]\nlogin = true\n')
    running = [own.start("-p", profile, "pwd", cwd="src") for profile in ("default", "default", "other", "default")]
    results = [process.communicate() for process in running]
    assert [(process.returncode, out) for process, (out, _) in zip(running, results, strict=True)] == [
        (0, b"/srv/app/src\n")
    ] * 4
    assert vagrant_host.calls.count("up default") == 1
    assert sum(b"Machine booted and ready!" in err for _, err in results) == 1


def test_the_primary_machine_is_meant_and_an_unknown_one_lists_the_names(
    own: Project, vagrant_host: VagrantHost
) -> None:
    machines = ('config.vm.define "web"', 'config.vm.define "db", primary: true')
    (own.local / "Vagrantfile").write_text(vagrantfile("config.ssh.insert_key = false", *machines))
    own.configure('driver = "vagrant"\n[none]\nmachine = "dbs"\n[web]\nmachine = "web"\n')
    vagrant_host.run(own.local, "up", "db")
    assert own.run("pwd").stdout == b"/vagrant\n"
    assert vagrant_host.calls == [STATUS, "ssh --machine-readable -- -V", "ssh-config db"]
    assert b"vagrant db" in own.shell("rdoctl status").stdout
    why = f"`{own.local}/Vagrantfile` has `web`, `db`; did you mean `db`?"
    assert own.run("-p", "none", "true").stderr.decode() == f"rdo: there is no machine `dbs`: {why}\n"
    hint = "type `vagrant up web`, or set `auto_up = true`"
    assert own.run("-p", "web", "true").stderr.decode() == f"rdo: `vagrant web` is not created; {hint}\n"
