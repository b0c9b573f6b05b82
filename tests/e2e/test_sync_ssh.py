"""Tests for copying files for a command over ssh, with either client; and for projects that are not copied."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests import clients
from tests.docker_engine import DockerEngine
from tests.e2e.project import TIMEOUT, docker_project, local_project, ssh_project
from tests.e2e.synced import Synced, prepared
from tests.e2e.terminal import Terminal
from tests.sshd import Sshd

pytestmark = pytest.mark.usefixtures("lent")


@pytest.fixture
def on_ssh(tmp_path: Path, runtime: dict[str, str], sshd: Sshd, client: str) -> Synced:
    return prepared(ssh_project(tmp_path, runtime | clients.path(client, runtime["PATH"]), sshd))


@pytest.mark.both_clients
def test_the_status_is_that_of_the_command_whatever_is_copied(on_ssh: Synced) -> None:
    on_ssh.configure('pull = ["out"]\n')
    for status in (0, 3, 255):
        assert on_ssh.run("-c", f"echo {status} > out; exit {status}").returncode == status
        assert (on_ssh.here / "out").read_text() == f"{status}\n"
    assert on_ssh.run("-c", "echo k > out; kill -9 $$").returncode == 137


@pytest.mark.both_clients
def test_on_a_terminal_files_are_back_when_the_prompt_is(on_ssh: Synced) -> None:
    on_ssh.configure('pull = ["out"]\n')
    with Terminal(["bash", "--norc", "-i"], on_ssh.here, {**on_ssh.project.environment, "PS1": "$ "}) as terminal:
        terminal.expect("$ ")
        terminal.line("rdo -c 'echo one > out; tty'; cat out")
        assert "/dev/" in terminal.expect("one\r\n")


@pytest.mark.both_clients
def test_on_a_terminal_lost_files_are_restored_before_the_command_starts(on_ssh: Synced) -> None:
    (on_ssh.here / "a").write_text("1\n")
    with Terminal(["bash", "--norc", "-i"], on_ssh.here, {**on_ssh.project.environment, "PS1": "$ "}) as terminal:
        terminal.expect("$ ")
        for end in ("one", "two"):
            terminal.line(f"rdo -c 'read line; cat a; echo $line; tty'; echo {end[:1]}\"\"{end[1:]}")
            terminal.line("typed ahead")
            shown = terminal.expect(f"{end}\r\n")
            assert "1\r\ntyped ahead\r\n/dev/" in shown
            assert "lost" not in shown
            assert not re.search(r"rdo: [^\x1b\r\n]*\r\n", shown)  # a line that remains, unlike that of progress
            shutil.rmtree(on_ssh.there)


@pytest.mark.both_clients
def test_ctrl_c_ends_a_command_that_waits_for_lost_files(on_ssh: Synced) -> None:
    with (on_ssh.here / "big").open("wb") as file:
        file.truncate(300_000_000)
    on_ssh.ok("true")
    shutil.rmtree(on_ssh.there)
    with on_ssh.project.start("touch", "ran") as running:
        _wait(lambda: any((on_ssh.there / ".rdo-sync").glob("*/parts")))
        running.send_signal(signal.SIGINT)
        assert running.wait(TIMEOUT) == 130
    assert on_ssh.ok("-c", "wc -c <big; ls").split() == ["300000000", "big", "src"]


def test_make_works_although_the_clocks_differ(on_ssh: Synced) -> None:
    """Pushed files have the local times, so that a file that is newer here than its result there is built again."""
    (on_ssh.here / "Makefile").write_text("out: in\n\tcp in out\n")
    (on_ssh.here / "in").write_text("1")
    os.utime(on_ssh.here / "in", (time.time() - 1000, time.time() - 1000))
    on_ssh.ok("make", "-s")
    assert on_ssh.ok("make", "-q") == ""
    (on_ssh.here / "in").write_text("2")
    os.utime(on_ssh.here / "in", (time.time() + 5, time.time() + 5))
    assert on_ssh.run("make", "-q").returncode == 1


def test_the_callers_home_directory_is_not_a_project(on_ssh: Synced) -> None:
    on_ssh.ok("true")
    done = on_ssh.run("true", env={"HOME": str(on_ssh.here / "src")})
    assert done.returncode == 255
    assert b"which holds your home directory" in done.stderr


def test_a_container_that_has_the_project_mounted_is_refused(
    tmp_path: Path, runtime: dict[str, str], docker_engine: DockerEngine
) -> None:
    with docker_engine.container("dash", {tmp_path: "/there"}) as name:
        project = docker_project(tmp_path, runtime, docker_engine, name)
        project.configure(f'driver = "docker"\ncontainer = "{name}"\nsync = "push"\n')
        done = project.run("true")
    assert (done.returncode, done.stdout) == (255, b"")
    assert b"which has this directory already: it is mounted in the container; remove `sync`" in done.stderr


def test_the_same_directory_is_refused_as_the_target(tmp_path: Path, runtime: dict[str, str]) -> None:
    project = local_project(tmp_path, runtime)
    for directory in (project.local, project.local / "src", tmp_path):
        project.configure(f'driver = "local"\ndirectory = "{directory}"\nsync = "push"\n')
        done = project.run("true")
        assert (done.returncode, b"`directory` is this directory, or one" in done.stderr) == (255, True), done


def test_a_file_cannot_be_both_pushed_and_pulled(on_ssh: Synced) -> None:
    on_ssh.configure('include = ["dist/a"]\npull = ["dist/**"]\n')
    done = on_ssh.run("true")
    assert (done.returncode, b"`pull` and `include` both name `dist/a`" in done.stderr) == (255, True), done


def test_files_that_no_target_may_write_cannot_be_pulled(on_ssh: Synced) -> None:
    on_ssh.configure('pull = ["dist/**", "sub/.Git/**"]\n')
    done = on_ssh.run("true")
    said = b": `pull` names `sub/.Git/**`, but files that git or rdo reads are never taken from a target; "
    assert (done.returncode, said in done.stderr) == (255, True), done


def test_a_second_machine_gets_an_error_and_its_files_are_left_alone(
    on_ssh: Synced, tmp_path: Path, runtime: dict[str, str], sshd: Sshd
) -> None:
    (on_ssh.here / "a").write_text("first")
    on_ssh.ok("true")
    other = Synced(ssh_project(tmp_path / "other", {**runtime, "XDG_STATE_HOME": str(tmp_path / "state2")}, sshd))
    other.project.configure(on_ssh.here.joinpath(".rdo.conf").read_text())
    (other.here / "a").write_text("theirs")
    done = other.run("true")
    assert (done.returncode, b"`a` was there before rdo" in done.stderr) == (255, True), done
    assert b"another machine or project also copies files to" in done.stderr
    assert (on_ssh.there / "a").read_text() == "first"
    (other.here / "a").unlink()
    (other.here / "b").write_text("second")
    assert other.ok("cat", "b") == "second"


def test_a_renamed_directory_is_the_same_project(on_ssh: Synced) -> None:
    (on_ssh.here / "a").write_text("1")
    on_ssh.ok("true")
    renamed = Synced(replace(on_ssh.project, local=on_ssh.here.rename(on_ssh.here.parent / "renamed")))
    (renamed.here / "a").unlink()
    (renamed.here / "b").write_text("2")
    assert renamed.ok("ls") == "b\nsrc\n"


def test_ctrl_c_interrupts_a_push_and_the_next_command_resumes_it(on_ssh: Synced) -> None:
    with (on_ssh.here / "big").open("wb") as file:
        file.truncate(300_000_000)
    with on_ssh.project.start("true") as running:
        _wait(lambda: any((on_ssh.there / ".rdo-sync").glob("*")))
        running.send_signal(signal.SIGINT)
        assert running.wait(TIMEOUT) == 130
    assert on_ssh.ok("-c", "wc -c <big").strip() == "300000000"


@pytest.mark.both_clients
def test_ctrl_c_interrupts_a_pull_and_the_next_command_completes_it(on_ssh: Synced) -> None:
    on_ssh.configure('pull = ["out"]\n')
    on_ssh.ok("true")
    make = "head -c 100000000 /dev/zero >out; echo up"
    with on_ssh.project.start("-c", make, stdin=subprocess.DEVNULL) as running:
        running.expect_up()
        time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        assert running.wait(TIMEOUT) in (130, 0)  # a fast machine may have finished
    assert not (on_ssh.here / "out").exists() or (on_ssh.here / "out").stat().st_size == 100_000_000
    on_ssh.ok("true")
    assert (on_ssh.here / "out").stat().st_size == 100_000_000


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
