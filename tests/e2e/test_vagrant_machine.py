"""Tests for `rdo` in a Vagrant project whose machine runs, with the real Vagrant: directories, and the number of its
calls.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import transcript
from tests.e2e.document import README, Block
from tests.e2e.project import Project, vagrant_project
from tests.e2e.transcript import cases
from tests.ssh_server import free_port
from tests.tcp_server import connect
from tests.vagrant_machine import VagrantHost, kept, vagrantfile

pytestmark = pytest.mark.long  # in one group; the contract has a separate machine for what applies to all drivers


@pytest.fixture
def up(vagrant_machine: Path, lent: dict[str, str], vagrant_host: VagrantHost) -> Project:
    """The project of the shared machine, for a user with stored answers of Vagrant."""
    return vagrant_project(vagrant_machine, {**lent, **kept(vagrant_machine)}, vagrant_host)


@pytest.fixture
def new(vagrant_machine: Path, runtime: dict[str, str], vagrant_host: VagrantHost) -> Project:
    """The project of the shared machine, for a new user."""
    project = vagrant_project(vagrant_machine, runtime, vagrant_host)
    assert vagrant_host.calls is not None  # count only later calls
    return project


@pytest.mark.parametrize(
    ("directory", "there"), [(".", "/vagrant"), ("src", "/srv/the source"), ("src/deep", "/srv/the source/deep")]
)
def test_a_command_runs_in_the_matching_directory(up: Project, directory: str, there: str) -> None:
    done = up.run("sh", "-c", "pwd; id -un; cat; exit 3", cwd=directory, input=b"\0\1\2")
    assert (done.returncode, done.stdout, done.stderr) == (3, f"{there}\nvagrant\n\0\1\2".encode(), b"")


@cases("vagrant")
def test_a_transcript_of_the_docs_shows_the_output_of_its_commands(up: Project, block: Block, config: str) -> None:
    assert "bootstrap: in /vagrant/src\nbootstrap: done\n" in README.text
    (up.local / "src" / "Makefile").write_text(transcript.MAKEFILE)
    up.configure(config)
    transcript.play(up, block, {"/vagrant/src": "/srv/the source"})


def test_files_are_the_same_on_both_sides(up: Project) -> None:
    (up.local / "src" / "note").write_text("hello\n")
    done = up.run("cat", "note", cwd="src")
    assert (done.stdout, done.stderr) == (b"hello\n", b"")


def test_paths_in_arguments_follow_the_longest_synced_folder(up: Project) -> None:
    done = up.run("echo", f"{up.local}/src/x", f"--file={up.local}/y", "/etc/passwd")
    assert done.stdout == b"/srv/the source/x --file=/vagrant/y /etc/passwd\n"


def test_only_the_first_of_all_commands_starts_ruby(new: Project, vagrant_host: VagrantHost) -> None:
    assert new.run("true").returncode == 0
    assert vagrant_host.calls == ["ssh-config default"]
    assert new.run("true").returncode == 0
    new.shell("rdoctl stop --all")
    assert new.run("true").returncode == 0
    assert vagrant_host.calls == []


def test_explain_starts_no_ruby(new: Project, vagrant_host: VagrantHost) -> None:
    text = new.shell("rdoctl explain make").stdout.decode()
    assert f"{new.local}/src  ->  /srv/the source" in text
    assert "vagrant default" in text
    assert vagrant_host.calls == []


def test_directory_sets_the_projects_root(up: Project) -> None:
    up.configure('driver = "vagrant"\ndirectory = "/tmp"\n')
    assert up.run("pwd").stdout == b"/tmp\n"
    assert up.run("pwd", cwd="src").stdout == b"/srv/the source\n"


def test_vagrant_cwd_and_vagrant_dotfile_path_lead_to_the_machine(
    vagrant_machine: Path, tmp_path: Path, runtime: dict[str, str], vagrant_host: VagrantHost
) -> None:
    project = vagrant_project(tmp_path / "elsewhere", runtime, vagrant_host, 'directory = "/srv/the source"\n')
    moved = tmp_path / "state"
    moved.symlink_to(vagrant_machine / ".vagrant")
    variables = {"VAGRANT_CWD": str(vagrant_machine / "src"), "VAGRANT_DOTFILE_PATH": str(moved)}
    done = project.run("sh", "-c", "pwd; hostname", env=variables)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, b"/srv/the source")
    refused = project.run("true", env={**variables, "VAGRANT_CWD": "/"})
    assert (refused.returncode, b"`/` has no Vagrant machine" in refused.stderr) == (255, True)


def test_sudo_gives_root_with_the_variables_and_its_signals(up: Project) -> None:
    script = 'echo "$(id -u) $TOKEN $PWD"; sleep 0.2; exit 5'
    done = up.run("-s", "-e", "TOKEN=a b", "sh", "-c", script, cwd="src")
    assert (done.returncode, done.stdout, done.stderr) == (5, b"0 a b /srv/the source\n", b"")
    with up.start("-s", "sh", "-c", "trap 'exit 7' TERM; echo up; while :; do sleep 0.05; done") as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        process.terminate()
        assert process.wait() == 7


def test_no_root_process_outlives_its_client(up: Project) -> None:
    with up.start("-s", "sh", "-c", "echo up; exec sleep 7719") as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        process.kill()
    gone = "for i in 1 2 3 4 5 6 7 8 9 10; do pgrep -f '[s]leep 7719' >/dev/null || exit 0; sleep 0.5; done; exit 1"
    assert up.run("sh", "-c", gone).returncode == 0


def test_rdo_rsh_accepts_the_name_and_the_address_of_the_machine(up: Project, vagrant_host: VagrantHost) -> None:
    assert up.shell("rdo-rsh '' pwd").stdout == b"/vagrant\n"
    assert up.shell("rdo-rsh default pwd").stdout == b"/home/vagrant\n"
    port = vagrant_host.port(up.local)
    assert up.shell(f"rdo-rsh -p {port} vagrant@127.0.0.1 pwd").stdout == b"/home/vagrant\n"
    for words in ("-p 1 default", "other", "root@default"):
        assert up.shell(f"rdo-rsh {words} true").returncode == 255


@pytest.fixture
def unending_input() -> Iterator[int]:
    """On a pty, the end of input is a typed Ctrl-D. sudo 1.9.13 hangs, also under ssh, if something is typed just when
    its command ends.
    """
    read, write = os.pipe()
    yield read
    os.close(read)
    os.close(write)


@pytest.mark.parametrize("option", ["-T", "-t"], ids=["without a pty", "with a pty"])
def test_sudo_enters_a_directory_that_only_root_can_enter(up: Project, option: str, unending_input: int) -> None:
    script = "mkdir -p -m 700 /root/it; echo 'echo mine' >/root/it/own; chmod +x /root/it/own"
    assert up.run("-s", "sh", "-c", script).returncode == 0
    for words, told in {
        ("--dir", "/root/it", "pwd"): "/root/it",
        ("--dir", "/root/it", "./own"): "mine",
        ("--dir", "../../root/it", "sh", "-c", "pwd; exit 4"): "/root/it",
        ("--dir", "/root/none", "pwd"): "",
    }.items():
        done = up.run(option, "-s", *words, stdin=unending_input)
        assert told in done.stdout.decode(), done
        assert done.returncode == (255 if "/root/none" in words else 4 if "-c" in words else 0)
    assert b"rdo: cannot enter" in (done.stderr + done.stdout)


def test_a_broken_vagrantfile_is_reported_with_its_own_message(
    vagrant_machine: Path, tmp_path: Path, lent: dict[str, str], vagrant_host: VagrantHost
) -> None:
    project = vagrant_project(tmp_path / "broken", lent, vagrant_host)
    (project.local / "Vagrantfile").write_text(vagrantfile("config.vm.box = nope"))
    shutil.copytree(vagrant_machine / ".vagrant", project.local / ".vagrant")
    done = project.run("true")
    why = f"{project.local}/Vagrantfile: undefined local variable or method `nope'"
    line = f"rdo: `vagrant status` failed: {why}; try it in `{project.local}`\n"
    assert (done.returncode, done.stderr.decode()) == (255, line)


def test_a_port_of_the_machine_is_forwarded_while_a_command_runs(up: Project) -> None:
    here = free_port()
    with up.start("-L", f"{here}:localhost:22", "sh", "-c", "echo up; cat") as command:
        command.expect_up()
        for host in ("127.0.0.1", "::1"):
            with connect(here, host) as connection:
                assert connection.recv(8, socket.MSG_WAITALL) == b"SSH-2.0-"


def test_a_port_of_the_config_is_forwarded_while_the_machine_is_held(up: Project) -> None:
    here = free_port()
    up.configure(f'driver = "vagrant"\nforward = ["{here}:22"]\n')
    assert up.run("true").stderr == b""
    with connect(here) as connection:
        assert connection.recv(8, socket.MSG_WAITALL) == b"SSH-2.0-"
    up.configure('driver = "vagrant"\n')
    assert up.run("true").stderr == b""
