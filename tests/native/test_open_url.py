"""Tests for opening a URL in the caller's browser with both clients: neither waits for it, and a missing browser is
reported.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import sys
import termios
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rdo.ipc import protocol
from rdo.ipc.protocol import frame
from tests.e2e.project import Project
from tests.native.clients import CLIENTS, Caller, run, soon

UP = frame(protocol.ACCEPTED) + frame(protocol.STARTED)
EXIT = frame(protocol.EXIT, b"\3")
URL = "http://localhost:8000/a?b=c&d='e'$(f)%20;`g`"
NO_BROWSER = b"rdo: cannot open the URL here: no browser was found; set BROWSER to the command that starts one"

SEEN = """import json, os, signal, sys
try:
    listed = map(int, os.listdir("/proc/self/fd"))
    descriptors = [fd for fd in listed if fd > 2 and os.path.exists(f"/proc/self/fd/{fd}")]
except OSError:
    descriptors = []
seen = {
    "words": sys.argv[2:], "leads": os.getsid(0) != int(os.environ["RDO_TEST_SID"]), "descriptors": descriptors,
    "null": [os.fstat(fd).st_rdev == os.stat("/dev/null").st_rdev for fd in (0, 1, 2)],
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())), "browser": os.environ.get("BROWSER"),
    "ignored": [n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) == signal.SIG_IGN],
}
with open(sys.argv[1] + ".new", "w") as file:
    json.dump(seen, file)
os.rename(sys.argv[1] + ".new", sys.argv[1])
"""

each_client = pytest.mark.parametrize("client", CLIENTS)


def browser(directory: Path, name: str = "browser", before: str = "") -> tuple[Path, Path]:
    """A program that records how it was started, and the file that it writes."""
    program, record, code = directory / name, directory / f"{name}.json", directory / f"{name}.py"
    code.write_text(SEEN)
    words = shlex.join([sys.executable, "-I", str(code), str(record)])
    program.write_text(f'#!/bin/sh\n{before}\nexec {words} "$@"\n')
    program.chmod(0o755)
    return program, record


def bare(directory: Path) -> str:
    """A PATH without a browser."""
    programs = directory / "programs"
    programs.mkdir()
    for name in ("sh", "setsid", "env", "dirname", "readlink"):
        if found := next((Path(d, name) for d in os.defpath.split(":") if Path(d, name).exists()), None):
            (programs / name).symlink_to(found)
    return str(programs)


def caller(project: Project, terminals: str = "", **variables: str) -> Caller:
    environment = {**project.environment, "RDO_TEST_SID": str(os.getsid(0)), **variables}
    return Caller(["x"], str(project.local), environment, terminals)


def opened(client: str, who: Caller, record: Path, *, before: bytes = UP) -> dict[str, Any]:
    """What the browser recorded."""

    def play(connection: socket.socket) -> None:
        connection.sendall(before + frame(protocol.OPEN_URL, URL.encode()))
        found.append(soon(record.exists))
        connection.sendall(EXIT)

    found: list[bool] = []
    seen = run(client, who, play)
    assert (found, seen.status) == ([True], 3)
    assert NO_BROWSER not in seen.stderr + seen.shown
    return dict(json.loads(record.read_text()))


@each_client
def test_it_is_a_separate_process_without_the_callers_descriptors(
    project: Project, client: str, tmp_path: Path
) -> None:
    program, record = browser(tmp_path)
    seen = opened(client, caller(project, "012", BROWSER=str(program)), record)
    assert seen == {
        "words": [URL], "leads": True, "null": [True] * 3, "descriptors": [], "blocked": [], "ignored": [],
        "browser": str(program),
    }  # fmt: skip


@each_client
@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("{program} --new", ["--new", URL]),
        ("  {program}   -u=%s,%s  x ", [f"-u={URL},{URL}", "x"]),
        ("/missing %s::{program} %s &:/other", [URL]),
        ("/dev/null: :&:{program}", [URL]),
    ],
)
def test_the_first_available_command_in_browser_gets_the_url(
    project: Project, client: str, tmp_path: Path, command: str, words: list[str]
) -> None:
    program, record = browser(tmp_path)
    value = command.format(program=program)
    seen = opened(client, caller(project, BROWSER=value), record)
    assert (seen["words"], seen["browser"]) == (words, value)


@each_client
@pytest.mark.parametrize("variables", [{}, {"BROWSER": ""}, {"BROWSER": "/missing"}])
def test_without_any_of_those_the_systems_command_is_used(
    project: Project, client: str, tmp_path: Path, variables: dict[str, str]
) -> None:
    _, record = browser(tmp_path, "open" if sys.platform == "darwin" else "xdg-open")
    path = f"{tmp_path}:{project.environment['PATH']}"
    assert opened(client, caller(project, PATH=path, **variables), record)["words"] == [URL]


@each_client
def test_it_is_also_opened_after_the_command_has_ended(project: Project, client: str, tmp_path: Path) -> None:
    program, record = browser(tmp_path)
    before = UP + frame(protocol.FINISHED)
    assert opened(client, caller(project, BROWSER=str(program)), record, before=before)["words"] == [URL]


@each_client
def test_nobody_waits_for_it(project: Project, client: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    program, record = browser(tmp_path, before=f"read -r line <{shlex.quote(str(gate))}")

    def play(connection: socket.socket) -> None:
        connection.sendall(UP + frame(protocol.OPEN_URL, URL.encode()) + frame(b"O", b"after") + EXIT)

    seen = run(client, caller(project, BROWSER=str(program)), play)
    assert (seen.status, seen.stdout, record.exists()) == (3, b"after", False)
    gate.write_text("go on\n")
    assert soon(record.exists)


@each_client
@pytest.mark.parametrize("terminals", ["", "2", "012"])
def test_without_a_browser_a_line_reports_it_and_the_command_continues(
    project: Project, client: str, terminals: str, tmp_path: Path
) -> None:
    def play(connection: socket.socket) -> None:
        connection.sendall(UP + frame(protocol.OPEN_URL, URL.encode()) + frame(b"O", b"after\n") + EXIT)

    seen = run(client, caller(project, terminals, PATH=bare(tmp_path), BROWSER="/missing:nothing %s"), play)
    end = b"\r\n" if "2" in terminals else b"\n"
    assert (seen.status, NO_BROWSER + end in seen.stderr + seen.shown) == (3, True)
    assert b"after" in seen.stdout + seen.shown


@each_client
@pytest.mark.parametrize("is_there", [True, False])
def test_it_is_not_opened_silently_while_a_pager_has_the_terminal(
    project: Project, client: str, tmp_path: Path, is_there: bool
) -> None:
    def take(terminal: int) -> None:
        modes = termios.tcgetattr(terminal)
        modes[3] &= ~termios.ICANON
        termios.tcsetattr(terminal, termios.TCSANOW, modes)

    def play(connection: socket.socket) -> None:
        told = frame(protocol.NOTICE, b"rdo: it is silent") + frame(protocol.NOTICE, b"rdo: opening it here")
        connection.sendall(UP + told + frame(protocol.OPEN_URL, URL.encode()) + EXIT)

    program, record = browser(tmp_path)
    variables = {"BROWSER": str(program)} if is_there else {"BROWSER": "/missing", "PATH": bare(tmp_path)}
    seen = run(client, replace(caller(project, "2", **variables), modes=take), play)
    assert seen.shown == b"rdo: opening it here\r\n" + (b"" if is_there else NO_BROWSER + b"\r\n")
    assert not is_there or soon(record.exists)


@pytest.mark.parametrize("state", ["requested", "accepted"])
@each_client
def test_no_url_is_opened_before_the_command_was_started(
    project: Project, client: str, tmp_path: Path, state: str
) -> None:
    program, record = browser(tmp_path)
    before = b"" if state == "requested" else frame(protocol.ACCEPTED)

    def play(connection: socket.socket) -> None:
        connection.sendall(before + frame(protocol.OPEN_URL, URL.encode()) + EXIT)

    seen = run(client, caller(project, BROWSER=str(program)), play)
    assert f"it sent b'U' when the command was {state}".encode() in seen.stderr
    assert (seen.status, record.exists()) == (255, False)
