"""Tests for `rdo` and the states of a Vagrant machine, with the real Vagrant."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.project import Project, vagrant_project
from tests.vagrant_machine import HOST_KEY, VagrantHost, vagrantfile

pytestmark = pytest.mark.long

SSH_CONFIG = "ssh-config default"
STATUS = "status --machine-readable"


@pytest.fixture
def own(tmp_path: Path, runtime: dict[str, str], vagrant_host: VagrantHost) -> Iterator[Project]:
    """A project with its own machine, which is not created yet."""
    project = vagrant_project(tmp_path / "own project", runtime, vagrant_host)
    (project.local / "src").mkdir()
    lines = ["config.ssh.insert_key = false", 'config.vm.synced_folder ".", "/srv/app"']
    vagrant_host.add(project.local, vagrantfile(*lines, 'config.vm.synced_folder ".", "/vagrant", disabled: true'))
    assert vagrant_host.calls is not None  # count only later calls
    yield project
    vagrant_host.destroy(project.local)


def test_auto_up_starts_a_machine_once_and_a_halted_or_re_created_one_is_found(
    own: Project, vagrant_host: VagrantHost
) -> None:
    _is_brought_up_once(own, vagrant_host)
    _is_known_after_a_halt(own, vagrant_host)
    _is_found_after_it_was_re_created(own, vagrant_host)


def _is_brought_up_once(own: Project, vagrant_host: VagrantHost) -> None:
    """It is started only once however many commands wait, and only if that is configured."""
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


def _is_known_after_a_halt(own: Project, vagrant_host: VagrantHost) -> None:
    """By the master that knew it before."""
    own.configure('driver = "vagrant"\n')
    assert own.run("pwd").stdout == b"/srv/app\n"
    vagrant_host.run(own.local, "halt")
    down = own.run("true")
    hint = "type `vagrant up default`, or set `auto_up = true`"
    assert (down.returncode, down.stderr.decode()) == (255, f"rdo: `vagrant default` is stopped; {hint}\n")
    assert vagrant_host.calls == [SSH_CONFIG, STATUS]
    vagrant_host.run(own.local, "up")
    assert own.run("pwd").stdout == b"/srv/app\n"


def _is_found_after_it_was_re_created(own: Project, vagrant_host: VagrantHost) -> None:
    """Re-create it, with another port and another key."""
    first = own.run("sh", "-c", f"cat {HOST_KEY}.pub")
    before = vagrant_host.port(own.local)
    vagrant_host.run(own.local, "destroy", "--force")
    with socket.create_server(("127.0.0.1", before)):
        vagrant_host.run(own.local, "up")
        second = own.run("sh", "-c", f"cat {HOST_KEY}.pub")
    assert vagrant_host.port(own.local) != before
    notice = b"rdo: `vagrant default` was re-created: its new host key replaces the recorded one\n"
    assert (second.returncode, second.stderr) == (0, notice)
    assert first.stdout != second.stdout


def test_the_primary_machine_is_used_and_an_unknown_one_lists_the_names(
    vagrant_machine: Path, tmp_path: Path, runtime: dict[str, str], vagrant_host: VagrantHost
) -> None:
    project = vagrant_project(tmp_path / "two machines", runtime, vagrant_host)
    machines = ('config.vm.define "web"', 'config.vm.define "db", primary: true')
    (project.local / "Vagrantfile").write_text(vagrantfile(*machines))
    created = (vagrant_machine / ".vagrant/machines/default", project.local / ".vagrant/machines/db")
    shutil.copytree(*created, ignore=shutil.ignore_patterns("synced_folders"))
    project.configure('driver = "vagrant"\n[none]\nmachine = "dbs"\n[web]\nmachine = "web"\n')
    assert vagrant_host.calls is not None  # count only later calls
    found = project.run("pwd")
    assert (found.stdout, found.stderr) == (b"/vagrant\n", b"")
    assert vagrant_host.calls == [STATUS, "ssh --machine-readable -- -V", "ssh-config db"]
    assert b"vagrant db" in project.shell("rdoctl status").stdout
    why = f"`{project.local}/Vagrantfile` has `web`, `db`; did you mean `db`?"
    assert project.run("-p", "none", "true").stderr.decode() == f"rdo: there is no machine `dbs`: {why}\n"
    hint = "type `vagrant up web`, or set `auto_up = true`"
    assert project.run("-p", "web", "true").stderr.decode() == f"rdo: `vagrant web` is not created; {hint}\n"
