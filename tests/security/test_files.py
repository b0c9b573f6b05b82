"""Tests for special and endless files in a clone, which are read before anything was allowed, and must do no harm."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from rdo.cli.init.survey import DEVCONTAINER_LIMIT
from tests.e2e.project import Project, make_project

MOST_MEMORY = 1600 * 1024
"""KiB of address space, far above what any command needs."""

DEVICES = ["zero", "fifo", "large"]


PACKAGE = Path(__file__).parents[2] / "rdo"

READERS = {
    "cli/completion.py": "completion scripts of the installation",
    "cli/doctor/client.py": "the program that is installed as rdo, and what its installer noted",
    "cli/man.py": "a man page of the installation",
    "drivers/docker/build_context.py": "the files of an image's context, of any size; no link is followed",
    "client/spawn_master.py": "the control master's own log, in a directory of ours",
    "remote_sh/template.py": "shell text of the installation",
    "util/brief_calls.py": "files of /proc",
    "sync/local_copy.py": "files that were just received, in a directory of ours, by their descriptors",
}
"""Modules that open files to read without that function, and why they may."""

OPENERS = ("open", "read_bytes", "read_text")


def test_only_one_function_opens_files_to_read() -> None:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text()
        if any(f"{word}(" in text for word in OPENERS):  # parsing all modules would take most of the time
            calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
            if any(map(reads, calls)):
                found.add(str(path.relative_to(PACKAGE)))
    assert found == set(READERS)


def reads(call: ast.Call) -> bool:
    """Whether this opens a file for reading without that function."""
    word = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if word not in OPENERS:
        return False
    name = ast.unparse(call.func)
    if name.endswith((".read_text", ".read_bytes")):
        return not name.startswith("foreign_file.")
    if call.args and "proc" in ast.unparse(call.args[0]):  # information of the kernel about a process
        return False
    mode = [ast.literal_eval(word) for word in call.args[1:2] if isinstance(word, ast.Constant)]
    return name in ("open", "io.open") and (not mode or "r" in mode[0])


@pytest.fixture
def clone(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """Another person's project, with a Vagrant machine."""
    clone = make_project(tmp_path, {name: value for name, value in runtime.items() if name != "RDO_TRUST"})
    clone.configure('driver = "vagrant"\n')
    (clone.local / "Vagrantfile").write_text("")
    return clone


def plant(path: Path, kind: str) -> None:
    """Replace a file by one that never ends, in one of three ways."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if kind == "zero":
        path.symlink_to("/dev/zero")
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        with path.open("wb") as file:
            file.truncate(1 << 33)


@pytest.mark.parametrize("kind", DEVICES)
@pytest.mark.parametrize(
    "name",
    [
        ".vagrant/machines/default/x/id",
        ".vagrant/machines/default/x/synced_folders",
        ".vagrant/machines/default/x/index_uuid",
        "Vagrantfile",
        ".rdo.conf",
        ".rdo.local.conf",
    ],
)
def test_no_file_of_a_clone_fills_the_memory_or_stops_a_command(clone: Project, name: str, kind: str) -> None:
    machine = clone.local / ".vagrant/machines/default/x"
    machine.mkdir(parents=True)
    for each in ("id", "index_uuid"):
        (machine / each).write_text("a")
    plant(clone.local / name, kind)
    line = f"ulimit -v {MOST_MEMORY}; rdoctl explain true; rdo true; echo $?; rdoctl status >/dev/null"
    result = clone.shell(line, start_new_session=True)
    assert result.stdout.endswith(b"\n255\n") or result.stdout == b"255\n"
    assert b"Traceback" not in result.stderr
    assert b"MemoryError" not in result.stderr
    assert result.stderr.count(b"\n") in (2, 3)  # one line for each command, and one of status for a config that fails


@pytest.mark.parametrize("kind", DEVICES)
@pytest.mark.parametrize(
    "name", ["compose.yaml", "Dockerfile", ".devcontainer/devcontainer.json", "Vagrantfile", "pyproject.toml"]
)
def test_files_that_init_and_ide_read_are_bounded_too(clone: Project, name: str, kind: str) -> None:
    (clone.local / ".rdo.conf").unlink()
    plant(clone.local / name, kind)
    result = clone.shell(
        f"ulimit -v {MOST_MEMORY}; rdoctl init --driver local --directory /x; rdoctl ide vim --print",
        start_new_session=True,
    )
    assert b"Traceback" not in result.stderr
    assert b"wrote .rdo.conf" in result.stdout


def test_of_hundreds_of_devcontainers_only_a_few_are_read(clone: Project) -> None:
    (clone.local / ".rdo.conf").unlink()
    (clone.local / "huge").write_text("{" + ",".join(f'"a{number}": 1' for number in range(1000)) + "}")
    for number in range(700):
        directory = clone.local / ".devcontainer" / str(number)
        directory.mkdir(parents=True)
        (directory / "devcontainer.json").symlink_to("../../huge")
    result = clone.shell("rdoctl init", start_new_session=True)
    assert result.stderr.count(b" cannot be used: ") == DEVCONTAINER_LIMIT


def test_a_link_out_of_vagrants_directory_discloses_nothing(clone: Project, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("my secret")
    machine = clone.local / ".vagrant/machines/default/x"
    machine.mkdir(parents=True)
    (machine / "id").symlink_to(tmp_path / "secret")
    for command in ("rdo true", "rdoctl status", "rdoctl explain true"):
        result = clone.shell(command, start_new_session=True)
        assert b"secret" not in result.stdout + result.stderr


def test_a_config_of_more_than_64_kib_is_refused_before_it_is_parsed(clone: Project) -> None:
    (clone.local / ".rdo.conf").write_text("a = [\n" + "1,\n" * 400_000)
    result = clone.run("true")
    assert result.returncode == 255
    assert b".rdo.conf: larger than 64 KiB" in result.stderr
