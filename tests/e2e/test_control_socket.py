"""Tests for who can reach the control socket."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.masters import END_TIMEOUT, masters, sockets, stop
from tests.e2e.project import Project, Result, local_project, ssh_project
from tests.leaks import wait_until
from tests.sshd import Sshd

ANOTHER_USER = 54321
"""A uid that no user of the machine has."""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

CONNECT = """
import os, socket, sys
os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
with socket.socket(socket.AF_UNIX) as connection:
    connection.settimeout(20)
    try:
        connection.connect(sys.argv[2])
        connection.sendall(b"Q" + bytes(4))
        print(connection.recv(100))
    except OSError as error:
        print(type(error).__name__)
"""


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project that needs no server."""
    return local_project(tmp_path, runtime)


def directory(project: Project) -> Path:
    return Path(project.environment["XDG_RUNTIME_DIR"], "rdo")


def stranger(path: Path) -> str:
    """The reply to another user who requests a report at the socket."""
    command = [sys.executable, "-I", "-S", "-c", CONNECT, str(ANOTHER_USER), str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd="/").stdout.strip()


def refused(project: Project, line: str) -> None:
    """Check that the command is refused with this line, and that no master runs."""
    result: Result = project.run("true")
    assert (result.returncode, result.stdout, result.stderr.decode()) == (255, b"", f"rdo: {line}\n")
    assert masters(project) == []


def test_all_files_of_a_start_are_private_and_have_expected_names(project: Project) -> None:
    assert project.run("true").returncode == 0
    assert stat.S_IMODE(directory(project).stat().st_mode) == 0o700
    (path,) = sockets(project)
    assert {each.name: stat.S_IMODE(each.stat().st_mode) for each in directory(project).iterdir()} == {
        path.name: 0o600, f"{path.name}.lock": 0o600, f"{path.name}.log": 0o600
    }  # fmt: skip


@as_root
def test_another_user_cannot_reach_the_socket(project: Project) -> None:
    assert project.run("true").returncode == 0
    Path(project.environment["XDG_RUNTIME_DIR"]).chmod(0o755)
    directory(project).parent.parent.chmod(0o755)
    (path,) = sockets(project)
    assert stranger(path) == "PermissionError"


@as_root
def test_another_user_who_could_reach_it_is_ignored_and_the_master_continues(project: Project) -> None:
    assert project.run("true").returncode == 0
    before = masters(project)
    (path,) = sockets(project)
    for each in (directory(project).parent.parent, directory(project).parent, directory(project)):
        each.chmod(0o755)
    path.chmod(0o666)
    assert stranger(path) in ("b''", "ConnectionResetError", "BrokenPipeError")
    directory(project).chmod(0o700)
    assert project.run("echo", "x").stdout == b"x\n"
    assert masters(project) == before


def test_a_planted_link_to_a_directory_is_refused(project: Project) -> None:
    (directory(project).parent / "elsewhere").mkdir(mode=0o700)
    directory(project).symlink_to("elsewhere")
    refused(project, f"the runtime directory `{directory(project)}` is not a directory; remove it")


@as_root
def test_a_directory_of_another_user_is_refused(project: Project) -> None:
    directory(project).mkdir(mode=0o700)
    os.chown(directory(project), ANOTHER_USER, -1)
    path = directory(project)
    refused(project, f"the runtime directory `{path}` belongs to another user: uid {ANOTHER_USER}; remove it")


def test_a_directory_that_others_can_enter_is_refused_even_with_a_listening_master(project: Project) -> None:
    assert project.run("true").returncode == 0
    directory(project).chmod(0o755)
    result = project.run("true")
    assert result.returncode == 255
    expected = (
        f"rdo: the runtime directory `{directory(project)}` is open to others; `chmod 700 {directory(project)}`\n"
    )
    assert result.stderr.decode() == expected
    directory(project).chmod(0o700)
    assert project.run("true").returncode == 0


@pytest.mark.parametrize("planted", ["link", "file", "directory"])
def test_a_file_in_place_of_the_socket_is_never_written_to(project: Project, planted: str) -> None:
    assert project.run("true").returncode == 0
    (path,) = sockets(project)
    stop(project)
    precious = project.local / "precious"
    precious.write_text("as it was")
    if planted == "link":
        path.symlink_to(precious)
    elif planted == "file":
        path.write_text("no socket")
    else:
        path.mkdir()
    result = project.run("echo", "x")
    if planted == "directory":
        assert (result.returncode, result.stderr.count(b"\n")) == (255, 1)
    else:
        assert result.stdout == b"x\n"
    assert precious.read_text() == "as it was"


@pytest.mark.parametrize("length", [90, 200])
def test_a_home_with_a_long_name_and_spaces_works(
    tmp_path: Path, runtime: dict[str, str], sshd: Sshd, length: int
) -> None:
    home = tmp_path / "a home's" / ("x y" * 100)[: length - len(str(tmp_path))]
    environment = {**runtime, "HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run time")}
    for name in ("CACHE", "CONFIG", "STATE"):
        environment[f"XDG_{name}_HOME"] = str(home / f"the {name}")
    (home / "run time").mkdir(parents=True, mode=0o700)
    project = ssh_project(home / "my work", {**environment, "RDO_TRUST": ""}, sshd)
    assert project.shell("rdoctl allow --yes", start_new_session=True).returncode == 0
    assert project.run("sh", "-c", "pwd; exit 3", cwd="src").stdout == f"{project.remote}/src\n".encode()
    assert str(project.local) in project.shell("rdoctl status").stdout.decode()
    assert project.shell("rdoctl stop --all").returncode == 0
    assert wait_until(lambda: not masters(project), END_TIMEOUT)
