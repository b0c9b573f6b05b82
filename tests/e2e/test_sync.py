"""Files that are there before a command starts, and back when it has ended: over ssh, docker and local."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import clients
from tests.docker_engine import DockerEngine
from tests.e2e.project import PATIENCE, Project, docker_project, local_project, ssh_project
from tests.e2e.synced import Synced, listing
from tests.e2e.terminal import Terminal
from tests.sshd import Sshd

KINDS = ["ssh", "docker", "local"]


@pytest.fixture(scope="session")
def box(docker_engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A container that sees the directory of the targets, and none of those of the projects."""
    directory = tmp_path_factory.mktemp("targets")
    with docker_engine.container("dash", {directory: str(directory)}) as name:
        yield name, directory


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> tuple[str, object]:
    """Each kind of target in its turn, with its server, which is up before any test."""
    servers = {"ssh": "sshd", "docker": "box"}
    return request.param, request.getfixturevalue(servers[request.param]) if request.param in servers else None


@pytest.fixture
def synced(kind: tuple[str, Any], tmp_path: Path, runtime: dict[str, str], request: pytest.FixtureRequest) -> Synced:
    name, server = kind
    if name == "ssh":
        project = ssh_project(tmp_path, runtime, server)
    elif name == "local":
        project = local_project(tmp_path, runtime)
    else:
        container, directory = server
        project = docker_project(tmp_path, runtime, request.getfixturevalue("docker_engine"), container)
        shutil.rmtree(project.remote)
        project = Project(project.local, directory / tmp_path.name, project.environment)
        project.configure(f'driver = "docker"\ncontainer = "{container}"\ndirectory = "{project.remote}"\n')
    return prepared(project)


def prepared(project: Project) -> Synced:
    """The project with sync, and nothing there yet."""
    shutil.rmtree(project.remote, ignore_errors=True)
    subprocess.run(["git", "init", "-q"], cwd=project.local, check=True)
    made = Synced(project)
    made.configure("")
    return made


@pytest.fixture
def on_ssh(tmp_path: Path, runtime: dict[str, str], sshd: Sshd, client: str) -> Synced:
    return prepared(ssh_project(tmp_path, runtime | clients.path(client, runtime["PATH"]), sshd))


def test_what_was_written_is_there_and_what_was_made_comes_back(synced: Synced) -> None:
    synced.configure('pull = ["dist/**", "report.txt"]\n')
    (synced.here / "src" / "app").write_text("one")
    assert synced.ok("cat", "src/app") == "one"
    for number in range(5):
        (synced.here / "src" / "app").write_text(f"edit {number}")
        made = "mkdir -p dist/a && cp src/app dist/a/b && echo done > report.txt && cat src/app"
        assert synced.sh(made) == f"edit {number}"
        assert (synced.here / "dist" / "a" / "b").read_text() == f"edit {number}"
    assert (synced.here / "report.txt").read_text() == "done\n"
    synced.sh("rm -r dist")
    assert not (synced.here / "dist" / "a" / "b").exists()


def test_all_kinds_of_files_arrive_as_they_are(synced: Synced) -> None:
    here = os.fsencode(synced.here)
    os.makedirs(here + b"/deep/empty")
    for name in (b"a\nb", b"-n", b"'q\"$`\\", b" blank ", b"*", "\N{SNOWMAN}".encode()):
        Path(os.fsdecode(here + b"/deep/" + name)).write_bytes(name)
    (synced.here / "run").write_text("#!/bin/sh\necho ran\n")
    (synced.here / "run").chmod(0o755)
    (synced.here / "link").symlink_to("src/../run")
    (synced.here / "out").symlink_to("/etc/passwd")
    os.utime(synced.here / "run", (1_000_000_000, 1_000_000_000))
    assert synced.ok("./run") == "ran\n"
    expected = {name: each for name, each in listing(synced.here).items() if not name.startswith(".git")}
    assert listing(synced.there) == expected
    shutil.rmtree(synced.here / "deep")
    (synced.here / "run").rename(synced.here / "renamed")
    assert synced.ok("./renamed") == "ran\n"
    expected = {name: each for name, each in listing(synced.here).items() if not name.startswith(".git")}
    assert listing(synced.there) == expected


def test_what_git_ignores_stays_here_unless_it_is_included(synced: Synced) -> None:
    (synced.here / ".gitignore").write_text(".env\n*.log\nnode_modules/\n")
    (synced.here / ".env").write_text("SECRET=1")
    (synced.here / "a.log").write_text("x")
    (synced.here / "big").write_text("x")
    (synced.here / "node_modules" / "m").mkdir(parents=True)
    synced.configure('include = ["a.log"]\nexclude = ["big"]\n')
    assert synced.ok("ls", "-A").split() == [".gitignore", ".rdo-sync", ".rdo.conf", "a.log", "src"]


def test_what_is_there_and_not_of_rdo_is_never_touched(synced: Synced) -> None:
    synced.ok("true")
    (synced.there / "theirs").write_text("x")
    (synced.there / "src" / "theirs").write_text("y")
    shutil.rmtree(synced.here / "src")
    synced.ok("true")
    assert (synced.there / "theirs").read_text() + (synced.there / "src" / "theirs").read_text() == "xy"


def test_a_file_that_was_changed_there_stops_the_command_and_is_not_overwritten(synced: Synced) -> None:
    (synced.here / "a").write_text("mine")
    synced.ok("true")
    (synced.there / "a").write_text("theirs!")
    (synced.here / "a").write_text("mine again")
    done = synced.run("touch", "ran")
    assert (done.returncode, done.stdout) == (255, b"")
    assert done.stderr.count(b"\n") == 1
    assert b"`a` has changed there; see `rdoctl sync diff`" in done.stderr
    assert (synced.there / "a").read_text() == "theirs!"
    assert not (synced.there / "ran").exists()
    assert synced.rdoctl("sync", "diff").stdout == b"changed there     a\n"
    assert synced.rdoctl("sync", "take", "here", "a").returncode == 0
    assert synced.ok("cat", "a") == "mine again"


def test_or_is_taken_from_there(synced: Synced) -> None:
    (synced.here / "a").write_text("mine")
    synced.ok("true")
    (synced.there / "a").write_text("theirs!")
    (synced.here / "a").write_text("mine again")
    assert synced.run("true").returncode == 255
    done = synced.rdoctl("sync", "take", "there", "a")
    assert (done.returncode, done.stderr) == (0, b"")
    assert (synced.here / "a").read_text() == "theirs!"
    assert synced.ok("cat", "a") == "theirs!"


def test_a_file_that_was_there_before_rdo_is_not_overwritten(synced: Synced) -> None:
    synced.there.mkdir()
    (synced.there / "a").write_text("theirs")
    (synced.here / "a").write_text("mine")
    done = synced.run("true")
    assert b"`a` was there before rdo" in done.stderr
    assert (done.returncode, (synced.there / "a").read_text()) == (255, "theirs")


def test_a_file_here_that_was_changed_is_not_overwritten_by_one_that_comes_back(synced: Synced) -> None:
    synced.configure('pull = ["out"]\n')
    synced.sh("echo 1 > out")
    (synced.here / "out").write_text("mine")
    done = synced.run("-c", "echo 22 > out")
    assert done.returncode == 255
    assert b"`out` has changed here" in done.stderr
    assert (synced.here / "out").read_text() == "mine"
    assert synced.run("-c", "echo 333 > out; exit 3").returncode == 3
    assert synced.rdoctl("sync", "take", "there", "out").returncode == 0
    assert (synced.here / "out").read_text() == "333\n"


def test_a_command_can_do_without_and_files_can_be_copied_without_a_command(synced: Synced) -> None:
    synced.configure('pull = ["out"]\n')
    synced.ok("true")
    (synced.here / "a").write_text("1")
    assert synced.run("--no-sync", "-c", "echo x > out; cat a").returncode != 0
    assert not (synced.here / "out").exists()
    assert synced.ok("--sync-only") == ""
    assert ((synced.here / "out").read_text(), (synced.there / "a").read_text()) == ("x\n", "1")


def test_a_target_that_is_empty_again_gets_all_again(synced: Synced) -> None:
    (synced.here / "a").write_text("1")
    synced.ok("true")
    shutil.rmtree(synced.there)
    synced.rdoctl("stop", "--all")
    assert synced.ok("cat", "a") == "1"


def test_several_commands_at_once_all_find_what_was_written_before_them(synced: Synced) -> None:
    synced.ok("true")
    for number in range(3):
        for name in "abc":
            (synced.here / name).write_text(f"{number}")
        started = [synced.project.start("cat", "a", "b", "c") for _ in range(6)]
        assert [each.communicate(timeout=PATIENCE)[0] for each in started] == [str(number).encode() * 3] * 6


def test_a_command_that_runs_is_not_disturbed_by_the_push_of_another(synced: Synced) -> None:
    (synced.here / "a").write_text("1")
    with synced.project.start("-c", "exec 3<a; echo up; cat >/dev/null; cat <&3") as running:
        running.expect_up()
        (synced.here / "a").write_text("2")
        assert synced.ok("cat", "a") == "2"
        assert running.communicate(b"", timeout=PATIENCE)[0] == b"1"


@pytest.mark.both_clients
def test_a_status_is_that_of_the_command_whatever_is_copied(on_ssh: Synced) -> None:
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


def test_make_does_the_right_thing_where_the_clocks_differ(on_ssh: Synced) -> None:
    """What is pushed has this side's times: what is newer here than what was built there is built again."""
    (on_ssh.here / "Makefile").write_text("out: in\n\tcp in out\n")
    (on_ssh.here / "in").write_text("1")
    os.utime(on_ssh.here / "in", (time.time() - 1000, time.time() - 1000))
    on_ssh.ok("make", "-s")
    assert on_ssh.ok("make", "-q") == ""
    (on_ssh.here / "in").write_text("2")
    os.utime(on_ssh.here / "in", (time.time() + 5, time.time() + 5))
    assert on_ssh.run("make", "-q").returncode == 1


def test_the_home_directory_is_no_project(on_ssh: Synced) -> None:
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


def test_this_very_directory_is_refused(tmp_path: Path, runtime: dict[str, str]) -> None:
    project = local_project(tmp_path, runtime)
    for directory in (project.local, project.local / "src", tmp_path):
        project.configure(f'driver = "local"\ndirectory = "{directory}"\nsync = "push"\n')
        done = project.run("true")
        assert (done.returncode, b"`directory` is this directory, or one" in done.stderr) == (255, True), done


def test_one_file_cannot_go_both_ways(on_ssh: Synced) -> None:
    on_ssh.configure('include = ["dist/a"]\npull = ["dist/**"]\n')
    done = on_ssh.run("true")
    assert (done.returncode, b"`pull` and `include` both name `dist/a`" in done.stderr) == (255, True), done


def test_a_second_machine_is_told_and_its_files_are_left_alone(
    on_ssh: Synced, tmp_path: Path, runtime: dict[str, str], sshd: Sshd
) -> None:
    (on_ssh.here / "a").write_text("first")
    on_ssh.ok("true")
    other = Synced(ssh_project(tmp_path / "other", {**runtime, "XDG_STATE_HOME": str(tmp_path / "state2")}, sshd))
    other.project.configure(on_ssh.here.joinpath(".rdo.conf").read_text())
    (other.here / "b").write_text("second")
    done = other.run("cat", "b")
    assert (done.returncode, done.stdout) == (0, b"second")
    assert b"another machine or project copies files to" in done.stderr
    (other.here / "a").write_text("theirs")
    assert other.run("true").returncode == 255
    assert (on_ssh.there / "a").read_text() == "first"


def test_ctrl_c_while_files_are_copied_ends_it_and_the_next_command_goes_on(on_ssh: Synced) -> None:
    with (on_ssh.here / "big").open("wb") as file:
        file.truncate(300_000_000)
    with on_ssh.project.start("true") as running:
        _wait(lambda: any((on_ssh.there / ".rdo-sync").glob("*")))
        running.send_signal(signal.SIGINT)
        assert running.wait(PATIENCE) == 130
    assert on_ssh.ok("-c", "wc -c <big").strip() == "300000000"


@pytest.mark.both_clients
def test_ctrl_c_while_files_come_back_ends_it_and_they_come_with_the_next_command(on_ssh: Synced) -> None:
    on_ssh.configure('pull = ["out"]\n')
    on_ssh.ok("true")
    make = "head -c 100000000 /dev/zero >out; echo up"
    with on_ssh.project.start("-c", make, stdin=subprocess.DEVNULL) as running:
        running.expect_up()
        time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        assert running.wait(PATIENCE) in (130, 0)  # a fast machine may be through
    assert not (on_ssh.here / "out").exists() or (on_ssh.here / "out").stat().st_size == 100_000_000
    on_ssh.ok("true")
    assert (on_ssh.here / "out").stat().st_size == 100_000_000


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
