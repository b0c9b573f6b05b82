"""Tests for other users of this machine: nothing is sent to their sockets, and they can change nothing of ours."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rdo.ipc import address
from tests.e2e.masters import masters
from tests.e2e.project import Project, local_project

ANOTHER_USER = 54321
"""A uid that no user of the machine has."""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

LISTEN = """
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
listener.bind(sys.argv[2])
listener.listen()
print("listens", flush=True)
while True:
    connection, _ = listener.accept()
    print(connection.recv(100), flush=True)
"""


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project that needs no server."""
    return local_project(tmp_path, runtime)


@as_root
def test_another_user_who_listens_in_place_of_the_master_is_sent_nothing(project: Project) -> None:
    directory = Path(address.runtime_directory(project.environment))
    path = address.socket_path(str(directory))
    directory.parent.parent.chmod(0o755)
    for each in (directory.parent, directory):
        each.chmod(0o777)
    command = [sys.executable, "-I", "-S", "-c", LISTEN, str(ANOTHER_USER), path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd="/") as stranger:
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == b"listens\n"
        for each in (directory.parent, directory):
            each.chmod(0o700)
        result = project.run("true", env={"SECRET": "x"})
        stranger.kill()
        assert set(stranger.stdout) == {b"b''\n"}
    said = f"rdo: the control socket `{path}` belongs to another user: uid {ANOTHER_USER}; "
    assert (result.returncode, result.stderr.decode().startswith(said), result.stderr.count(b"\n")) == (255, True, 1)
    assert masters(project) == []


def test_a_runtime_directory_that_others_can_write_is_not_used(project: Project) -> None:
    base = Path(project.environment["XDG_RUNTIME_DIR"])
    base.chmod(0o777)
    try:
        assert project.run("echo", "x").stdout == b"x\n"
        assert list(base.iterdir()) == []
    finally:
        project.shell("rdoctl stop --all")


def test_with_no_umask_nothing_that_is_created_can_be_written_by_others(project: Project) -> None:
    project.configure('driver = "local"\ndirectory = "/"\n')
    home = Path(project.environment["HOME"])
    homeless = "unset XDG_STATE_HOME XDG_CACHE_HOME XDG_CONFIG_HOME RDO_TRUST; umask 000; "
    for line in ("rdoctl allow --yes", "rdo true", "rdoctl shim add python", "rdoctl ide vscode"):
        done = project.shell(homeless + line)
        assert done.returncode == 0, done.stderr
    made = [each for root in (home, project.local / ".rdo", project.local / ".vscode") for each in root.rglob("*")]
    assert len(made) > 5
    assert [each for each in made if each.lstat().st_mode & (stat.S_IWOTH | stat.S_IWGRP)] == []


@as_root
def test_root_with_another_users_home_stores_nothing_there(project: Project, tmp_path: Path) -> None:
    home = tmp_path / "theirs"
    home.mkdir()
    (home / ".local").symlink_to(tmp_path / "elsewhere")
    for path in (home, home / ".local"):
        os.chown(path, ANOTHER_USER, -1, follow_symlinks=False)
    (tmp_path / "elsewhere").mkdir()
    done = project.shell(f"unset XDG_STATE_HOME RDO_TRUST; export HOME={home}; rdoctl allow --yes")
    assert (done.returncode, done.stderr.count(b"\n")) == (255, 1)
    assert b"use `sudo -H`" in done.stderr
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("umask", ["777", "177", "277"])
def test_with_a_umask_without_permissions_rdo_can_use_what_it_creates(project: Project, umask: str) -> None:
    homeless = f"unset XDG_STATE_HOME XDG_CACHE_HOME XDG_CONFIG_HOME RDO_TRUST; umask {umask}; "
    done = project.shell(homeless + "rdoctl allow --yes && rdo echo x && rdo echo y")
    assert done.stdout.endswith(b"\nx\ny\n"), done.stderr
    roots = [Path(project.environment[name]) for name in ("HOME", "XDG_RUNTIME_DIR")]
    made = [each for root in roots for each in root.rglob("*")]
    assert len(made) > 5
    assert {stat.S_IMODE(each.stat().st_mode) for each in made if each.is_dir()} == {0o700}
    assert {stat.S_IMODE(each.stat().st_mode) for each in made if not each.is_dir()} == {0o600}
