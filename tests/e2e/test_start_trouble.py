"""Tests for when no control master can listen: either commands still work, or there is one line and status 255."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdo.ipc.address import RUNTIME_DIR_HINT
from tests import disk
from tests.disk import Mount
from tests.e2e.masters import stop
from tests.e2e.project import Project, local_project


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project that needs no server."""
    return local_project(tmp_path, runtime)


def run_directory(project: Project) -> Path:
    return Path(project.environment["XDG_RUNTIME_DIR"])


def refusal(project: Project) -> str:
    """The line with which a command was refused."""
    result = project.run("touch", "made")
    assert (result.returncode, result.stdout) == (255, b"")
    assert not (project.remote / "made").exists()
    line, *rest = result.stderr.decode().splitlines()
    assert rest == []
    return line


def test_on_a_full_disk_commands_still_work(project: Project, mount: Mount) -> None:
    disk.fill(mount(run_directory(project)))
    for _ in range(2):
        assert project.run("echo", "x").stdout == b"x\n"
    stop(project)


@pytest.mark.parametrize(("room", "what"), [
    (0, "cannot create the runtime directory `{}/rdo`"),
    (1, "cannot create the lock `{}/rdo/"),
    (2, "the control master did not start: cannot open `{}/rdo/"),
    (3, "the control master did not start: cannot create the socket `{}/rdo/"),
])  # fmt: skip
def test_a_disk_without_room_for_a_file_is_reported_in_one_line(
    project: Project, mount: Mount, room: int, what: str
) -> None:
    directory = mount(run_directory(project), "tmpfs", f"nr_inodes={1 + room},mode=700")
    for _ in range(2):
        line = refusal(project)
        assert line.startswith("rdo: " + what.format(directory))
        assert line.endswith(f": no space left on device; {RUNTIME_DIR_HINT}")


@pytest.mark.parametrize("files", [5, 6, 7, 8, 20])
def test_too_few_file_descriptors_are_reported_in_one_line(project: Project, files: int) -> None:
    done = project.shell(f"ulimit -n {files}; exec rdo true")
    assert done.returncode == 255
    line = done.stderr.decode()
    assert line.startswith("rdo: ")
    assert line.endswith("; `ulimit -n 64` or more\n")
    assert line.count("\n") == 1


def test_when_there_is_room_again_the_next_command_works(project: Project, mount: Mount) -> None:
    directory = mount(run_directory(project), "tmpfs", "nr_inodes=5,mode=700")
    filler = directory / "filler"
    filler.touch()
    refusal(project)
    filler.unlink()
    assert project.run("echo", "x").stdout == b"x\n"
    stop(project)


def test_an_unwritable_runtime_directory_is_reported_in_one_line(project: Project, mount: Mount) -> None:
    directory = mount(run_directory(project), "tmpfs", "ro,mode=700")
    line = refusal(project)
    assert (
        line == f"rdo: cannot create the runtime directory `{directory}/rdo`: read-only file system; {RUNTIME_DIR_HINT}"
    )


def test_a_file_system_without_sockets_is_reported_in_one_line(project: Project, mount: Mount) -> None:
    directory = mount(run_directory(project) / "rdo", "mqueue", "rw")  # has files and locks, and nothing else
    directory.chmod(0o700)
    before = set(directory.iterdir())
    try:
        line = refusal(project)
    finally:
        for each in set(directory.iterdir()) - before:
            each.unlink()  # there is only one on the machine, wherever it is mounted
    assert line.startswith(f"rdo: the control master did not start: cannot create the socket `{directory}/")
    assert line.endswith(f": operation not permitted; {RUNTIME_DIR_HINT}")


def test_a_log_that_is_a_link_is_not_followed(project: Project) -> None:
    assert project.run("true").returncode == 0
    (log,) = (run_directory(project) / "rdo").glob("*.log")
    stop(project)
    log.unlink(missing_ok=True)
    log.symlink_to(project.local / "precious")
    assert refusal(project).startswith(f"rdo: the control master did not start: cannot open `{log}`: ")
    assert not (project.local / "precious").exists()
