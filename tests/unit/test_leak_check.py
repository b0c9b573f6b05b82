"""Tests for the leak check, and for the fixtures that fail a test because of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.leaks import Leaks, end, wait_until
from tests.processes import listed_processes, process_numbers

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not

ROOT = Path(__file__).parents[2]

FOREVER = [sys.executable, "-c", "import signal; signal.pause()"]

PAUSE = 0.1
"""Seconds until a thread ends that a check waits for."""

START = 5.0
"""Seconds for a process to start and be seen."""


@pytest.fixture
def impatient(leaks: Leaks) -> Leaks:
    """The leak check, without its time for things to end."""
    return Leaks(run=leaks.run, settle=0)


@contextmanager
def thread() -> Iterator[None]:
    go = threading.Event()
    forgotten = threading.Thread(target=go.wait, name="forgotten")
    forgotten.start()
    yield
    go.set()
    forgotten.join()


@contextmanager
def open_socket() -> Iterator[None]:
    with socket.socket():
        yield


@contextmanager
def open_file() -> Iterator[None]:
    number = os.open(os.devnull, os.O_RDONLY)
    yield
    os.close(number)


@contextmanager
def child() -> Iterator[None]:
    with subprocess.Popen(FOREVER) as process:
        yield
        process.returncode = -9  # the check has taken its status


@contextmanager
def zombie() -> Iterator[None]:
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        yield
        process.returncode = 0


@contextmanager
def orphan() -> Iterator[None]:
    before = process_numbers()
    subprocess.run(["/bin/sh", "-c", '"$@" &', "sh", *FOREVER], check=True)
    line = " ".join(FOREVER)  # until then, its environment may not have the mark yet
    assert wait_until(lambda: line in [each.command for each in listed_processes(before).values()], START)
    yield


LEAKS = {
    "thread": (thread, "thread: forgotten"),
    "socket": (open_socket, "socket"),
    "file": (open_file, "file descriptor"),
    "child": (child, "signal.pause()"),
    "zombie": (zombie, "zombie"),
    "orphan": (orphan, "signal.pause()"),
}


@pytest.mark.parametrize("kind", LEAKS)
def test_what_is_left_behind_is_named(impatient: Leaks, kind: str) -> None:
    if kind in ("orphan", "zombie") and not Path("/proc").exists():
        pytest.skip("/proc: needed to see this")
    leak, name = LEAKS[kind]
    before = impatient.snapshot()
    with leak():
        [line] = impatient.find(before)
        assert name in line
    assert Leaks(run=impatient.run).find(before) == []


class Cycle:
    """A reference cycle that is closed when it is collected."""

    def __init__(self) -> None:
        self.itself = self
        self.file = os.open(os.devnull, os.O_RDONLY)

    def __del__(self) -> None:
        os.close(self.file)


def test_a_file_that_a_cycle_holds_is_closed_once_a_thread_has_left_it(leaks: Leaks) -> None:
    begun, go = threading.Event(), threading.Event()

    def hold() -> None:
        cycle = Cycle()
        begun.set()
        go.wait()
        del cycle

    before = leaks.snapshot()
    thread = threading.Thread(target=hold)
    thread.start()
    begun.wait()
    threading.Timer(PAUSE, go.set).start()
    at = time.monotonic()
    assert leaks.find(before) == []
    assert time.monotonic() < at + leaks.settle


SERVER = 'unset RDO_TEST_ID; exec 3<&0; { read -r line <&3; "$@" & wait; } & echo $!'
"""Leaves a process that is connected to this one only by its stdin, and that starts its own child when it reads a line.
"""


@pytest.mark.parametrize(("stays", "named"), [((), 1), (("signal.pause",), 0)], ids=["a leak", "may stay"])
def test_what_a_registered_server_starts_is_named_unless_it_may_stay(
    impatient: Leaks, stays: tuple[str, ...], named: int
) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(["/bin/sh", "-c", SERVER, "sh", *FOREVER], stdin=pipe, stdout=pipe) as shell:
        assert shell.stdin is not None
        assert shell.stdout is not None
        server = int(shell.stdout.readline())
        impatient.register_server(server, *stays)
        before = impatient.snapshot()
        shell.stdin.write(b"start\n")
        shell.stdin.flush()
        children = wait_until(lambda: [pid for pid, each in listed_processes().items() if each.parent == server], START)
        wait_until(lambda: "signal.pause" in listed_processes()[children[0]].command, START)
        assert len(impatient.find(before)) == named
        end(server)
        for pid in children:
            end(pid)


TESTS = """\
import os
from tests.conftest import require

def test_that_leaks(runtime, leaks):
    leaks.settle = 0
    os.open(os.devnull, os.O_RDONLY)

def test_without_a_server():
    require("ssh", "no sshd here")

def test_that_must_have_it(monkeypatch):
    monkeypatch.setenv("RDO_REQUIRE", "docker,ssh")
    require("ssh", "no sshd here")
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest prints for these tests in its own process, with the project's conftest and settings."""
    directory = tmp_path_factory.mktemp("tests")
    test = directory / "test_it.py"
    test.write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "-p", "tests.conftest", str(test)]
    command += ["-p", "no:cacheprovider", "--rootdir", str(directory)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RDO_REQUIRE": "", "COLUMNS": "200"}
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert "1 failed, 1 passed, 1 skipped, 1 error" in done.stdout, done.stdout
    return done.stdout


def test_a_test_that_leaks_fails_and_says_what_it_left(report: str) -> None:
    assert "ERROR test_it.py::test_that_leaks" in report
    assert "the test left behind:\n  file descriptor" in report


def test_an_absent_requirement_skips_with_its_reason(report: str) -> None:
    (skipped,) = (line for line in report.splitlines() if line.startswith("SKIPPED"))
    assert skipped.endswith(": ssh: no sshd here")


def test_an_absent_requirement_fails_if_the_run_names_it(report: str) -> None:
    assert "FAILED test_it.py::test_that_must_have_it - Failed: RDO_REQUIRE names ssh: no sshd here" in report
