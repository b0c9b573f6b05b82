"""Tests for an upgrade in place: the next command gets the new release, and running ones end with the old one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rdo
from rdo.ipc import protocol
from rdo.master import preload
from tests.e2e.masters import answer, log, masters, sockets
from tests.e2e.project import TIMEOUT, Project, local_project
from tests.leaks import wait_until

PACKAGE = Path(rdo.__path__[0])

CLIENT = "import sys; sys.path.insert(0, sys.argv.pop(1)); from rdo.__main__ import main; main()"

OLD_MASTER = """
import json, os, socket, sys
from rdo.ipc import protocol
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("listens", flush=True)
while True:
    connection, _ = listener.accept()
    frames = protocol.Decoder().receive(connection.recv(65536))
    if not frames:  # somebody looks whether it listens
        continue
    ((kind, payload),) = frames
    report = {"pid": os.getpid(), "started": 0, "running": [], "ending": False,
              "targets": [{"name": "old", "number": 7, "unheard_of": 1}]}
    connection.sendall(protocol.frame(protocol.REPORT, json.dumps(report).encode()))
    connection.close()
    if kind == protocol.STOP:
        os.unlink(sys.argv[1])
        break
"""


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project that needs no server."""
    return local_project(tmp_path, runtime)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A copy of rdo that may be changed."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(PACKAGE, tmp_path / "installed" / "rdo", ignore=ignored)).parent


def start(project: Project, installed: Path, *words: str) -> subprocess.Popen[bytes]:
    """The copy's rdo."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(installed), *words], cwd=project.local, env=dict(project.environment),
        stdin=pipe, stdout=pipe, stderr=pipe,
    )  # fmt: skip


def loaded(master: int, installed: Path) -> bool:
    """Whether a master has loaded all modules that it may need."""
    packages = [installed / "rdo" / name for name in (*preload.PACKAGES, "drivers/local")]
    made = [len(list((package / "__pycache__").glob("*.pyc"))) for package in packages]
    return master > 0 and made == [len(list(package.glob("*.py"))) for package in packages]


def test_a_new_release_of_the_same_version_has_a_new_master_and_the_old_one_ends_properly(
    project: Project, installed: Path
) -> None:
    with start(project, installed, "-T", "sh", "-c", "echo up; read line; pwd") as running:
        assert running.stdout
        assert running.stdin
        assert running.stdout.readline() == b"up\n"
        (old,) = masters(project)
        assert wait_until(lambda: loaded(old, installed), 20)
        shutil.move(installed / "rdo", installed / "gone")
        shutil.copytree(PACKAGE, installed / "rdo", ignore=shutil.ignore_patterns("__pycache__"))
        for path in (installed / "rdo").rglob("*.py"):
            if path.stem not in ("__init__", "spawn_master", "errors"):
                os.utime(path)
        with start(project, installed, "echo", "new") as next_one:
            assert next_one.communicate(b"", TIMEOUT) == (b"new\n", b"")
        assert len(masters(project)) == 2
        output, said = running.communicate(b"x\n", TIMEOUT)
        assert (output, said, running.returncode) == (f"{project.remote}\n".encode(), b"", 0)
    assert wait_until(lambda: old not in masters(project), TIMEOUT)


def test_files_that_python_compiles_do_not_make_a_new_release(project: Project, installed: Path) -> None:
    for _ in range(2):
        with start(project, installed, "true") as command:
            assert command.communicate(b"", TIMEOUT) == (b"", b"")
        (installed / "rdo" / "compiled").mkdir(exist_ok=True)
    assert len(masters(project)) == 1
    assert "takes no more commands" not in log(project)


def test_a_master_of_an_older_release_is_listed_and_stopped(project: Project) -> None:
    project.run("true")
    (path,) = sockets(project)
    place = path.with_name("control-0123456789abcdef")
    with subprocess.Popen([sys.executable, "-c", OLD_MASTER, str(place)], stdout=subprocess.PIPE) as old:
        assert old.stdout
        old.stdout.readline()
        shown = {each["pid"]: each for each in json.loads(project.shell("rdoctl status --json").stdout)}
        assert [target["name"] for target in shown[old.pid]["targets"]] == ["old"]
        assert project.shell("rdoctl stop --all").stdout.count(b"stopped the control master\n") == 2
        assert old.wait(TIMEOUT) == 0


def test_a_request_of_another_release_is_refused_and_ends_the_master(project: Project) -> None:
    project.run("true")
    (path,) = sockets(project)
    request = protocol.VERSION + b" 0.0.9 1 2\0" + os.fsencode(PACKAGE) + b"\0"
    assert answer(path, protocol.frame(protocol.RUN, request)) == [(protocol.STALE, b"")]
    assert wait_until(lambda: not masters(project), TIMEOUT)
