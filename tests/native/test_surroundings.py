"""Tests for unusual environments: the native client does the same as the Python client, or leaves it to that."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from rdo.ipc import peercred, protocol
from rdo.ipc.protocol import frame
from rdo.ipc.sockets import is_unread
from tests.e2e.project import Project
from tests.native.clients import NATIVE, PYTHON, TIMEOUT, Caller, await_probe, both, next_frame, run, soon
from tests.native.test_hostile_master import alike, plays
from tests.native.test_request import same

ECHO = (
    frame(protocol.ACCEPTED) + frame(protocol.STARTED) + frame(b"O", b"out") + frame(b"D", b"err") + frame(b"X", b"\4")
)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors(project: Project, closed: str) -> None:
    wrapper = ["sh", "-c", f'"$@" {closed}', "sh"]
    seen = both(Caller(["x"], str(project.local), project.environment, wrapper=wrapper), plays(ECHO))
    same(seen, project.environment)
    alike(seen)


@pytest.mark.parametrize("number", ["SIGCHLD", "SIGINT", "SIGTERM", "SIGPIPE", "SIGTSTP", "SIGHUP", "SIGCONT"])
@pytest.mark.parametrize(
    "how", ["signal.signal({0}, signal.SIG_IGN)", "signal.pthread_sigmask(signal.SIG_BLOCK, [{0}])"]
)
def test_signals_that_the_parent_ignores_or_blocks(project: Project, how: str, number: str) -> None:
    script = f"import os, signal, sys\n{how.format('signal.' + number)}\nos.execv(sys.argv[1], sys.argv[1:])"
    wrapper = [sys.executable, "-c", script]
    caller = Caller(["x"], str(project.local), project.environment, wrapper=wrapper)
    alike(both(caller, plays(ECHO)))


def test_no_environment_at_all(project: Project) -> None:
    python, native = (
        subprocess.run([*client, "x"], cwd=project.local, env={}, capture_output=True, check=False, timeout=TIMEOUT)
        for client in ((*PYTHON, "-T", "--project", "/nowhere"), (*NATIVE, "-T", "--project", "/nowhere"))
    )
    assert (native.returncode, native.stdout, native.stderr) == (python.returncode, python.stdout, python.stderr)


@pytest.mark.parametrize("size", [100_000, 120_000])
def test_two_mebibytes_of_arguments(project: Project, size: int) -> None:
    words = ["x", *(chr(97 + number) * size for number in range(1_900_000 // size))]
    same(both(Caller(words, str(project.local), project.environment)), project.environment)


def test_many_arguments_and_variables(project: Project) -> None:
    env = {**project.environment, **{f"V{number}": str(number) for number in range(20_000)}}
    same(both(Caller([str(number) for number in range(30_000)], str(project.local), env)), env)


def test_a_directory_of_many_levels(project: Project) -> None:
    """Deeper than a path may be long."""
    directory = project.local
    here = os.open(directory, os.O_RDONLY)
    name = "d" * 200
    for _ in range(18):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here, directory = below, directory / name
    os.close(here)
    env = {**project.environment, "PWD": str(directory)}
    same(both(Caller(["x"], str(directory), env)), env)


def test_a_directory_deeper_than_a_path_is_long(project: Project) -> None:
    script = "import os, sys\nfor _ in range(25):\n  os.makedirs('d' * 200, exist_ok=True)\n  os.chdir('d' * 200)\n"
    script += "os.execv(sys.argv[1], sys.argv[1:])"
    statuses = []
    for client in (PYTHON, NATIVE):
        command = [sys.executable, "-c", script, *client, "true"]
        done = subprocess.run(
            command, cwd=project.local, env=project.environment, capture_output=True, check=False, timeout=TIMEOUT
        )
        statuses.append((done.returncode, done.stdout, done.stderr.count(b"\n") > 1))
    assert statuses[0][0] == statuses[1][0]
    assert statuses[0][1] == statuses[1][1]


def test_a_directory_that_is_gone(project: Project) -> None:
    said = []
    for client in (PYTHON, NATIVE):
        (project.local / "gone").mkdir()
        command = ["sh", "-c", 'rmdir "$PWD"; "$@"', "sh", *client, "true"]
        done = subprocess.run(
            command, cwd=project.local / "gone", env=project.environment, capture_output=True, check=False
        )
        said.append((done.returncode, done.stdout, done.stderr))
    assert said[0] == said[1]


@pytest.mark.parametrize("limit", [3, 4, 5, 6, 7, 8, 9, 10, 12, 16])
def test_few_descriptors(project: Project, limit: int) -> None:
    """If one of the two works, so does the other, or it prints one line with the reason. Neither crashes."""
    script = f"import os, resource, sys\nresource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, {limit}))\n"
    wrapper = [sys.executable, "-c", script + "os.execv(sys.argv[1], sys.argv[1:])"]
    python, native = both(Caller(["x"], str(project.local), project.environment, wrapper=wrapper), plays(ECHO))
    if native.program.endswith(NATIVE[0]):
        assert (native.status, native.stdout, native.stderr) == (4, b"out", b"err")
    else:
        assert (native.status, native.stdout) == (python.status, python.stdout)


@pytest.mark.parametrize("limit", ["RLIMIT_FSIZE", "RLIMIT_CORE", "RLIMIT_DATA"])
def test_other_limits(project: Project, limit: str, tmp_path: Path) -> None:
    value = {"RLIMIT_FSIZE": 10, "RLIMIT_CORE": 0, "RLIMIT_DATA": 100_000_000}[limit]
    script = f"import os, resource, sys\nresource.setrlimit(resource.{limit}, ({value}, {value}))\n"
    wrapper = [sys.executable, "-c", script + f"os.execv('/bin/sh', ['sh', '-c', '\"$@\" >{tmp_path}/out', *sys.argv])"]
    play = plays(frame(b"K") + frame(b"B") + frame(b"O", b"x" * 30) + frame(b"X", b"\4"))
    seen = both(Caller(["x"], str(project.local), project.environment, wrapper=wrapper), play)
    alike(seen)


@pytest.mark.parametrize("words", [[], ["x"]])
def test_an_empty_argument_list_or_name(project: Project, words: Sequence[str]) -> None:
    """execve(2) without arguments, not even the program's name."""
    script = "import ctypes, os, sys\nlibc = ctypes.CDLL(None)\nprogram = os.fsencode(sys.argv[1])\n"
    script += f"words = {[os.fsencode(word) for word in words]!r}\n"
    script += "libc.execv(program, (ctypes.c_char_p * (len(words) + 1))(*words, None))"
    caller = Caller([], str(project.local), project.environment, wrapper=[sys.executable, "-c", script])
    _, native = both(caller)
    assert native.status == 0


def test_a_runtime_directory_that_others_can_enter_is_reported_alike(project: Project) -> None:
    directory = Path(project.environment["XDG_RUNTIME_DIR"], "rdo")
    directory.mkdir()
    directory.chmod(0o755)
    said = [
        subprocess.run(
            [*client, "true"], cwd=project.local, env=project.environment, capture_output=True, check=False
        ).stderr
        for client in (PYTHON, NATIVE)
    ]
    assert said[0] == said[1]
    assert said[0].count(b"\n") == 1


@pytest.mark.parametrize("name", ["HUP", "INT", "QUIT", "TERM", "USR1"])
@pytest.mark.parametrize("stage", ["asked", "accepted", "started"])
def test_a_signal_at_each_stage(project: Project, name: str, stage: str) -> None:
    """Before the command is started, it ends the client like any program. Afterwards, it is for the command."""
    number = getattr(signal, f"SIG{name}")
    results = []
    for client in ("python", "native"):
        results.append(signalled(project, client, number, stage))
    assert results[0] == results[1]


def signalled(project: Project, client: str, number: int, stage: str) -> tuple[int | None, bytes, bytes]:
    """How the client ends, what it shows, and what it sent after the request."""
    before = {"asked": b"", "accepted": frame(b"K"), "started": frame(b"K") + frame(b"B")}[stage]

    def play(connection: socket.socket) -> None:
        connection.sendall(before)
        if stage == "started":
            await_probe(connection)
        else:
            assert soon(lambda: not is_unread(connection))
        os.kill(peercred.pid(connection) or 0, number)
        if stage == "started":
            assert next_frame(connection) == (protocol.SIGNAL, signal.Signals(number).name[3:].encode())
            connection.sendall(frame(b"X", b"\x05"))
        else:
            assert next_frame(connection) == (b"", b"")

    seen = run(client, Caller(["x"], str(project.local), project.environment), play)
    return seen.status, seen.stdout, seen.stderr
