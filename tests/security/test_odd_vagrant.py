"""Tests for invalid output of Vagrant, and odd files in its directories: one line, and bounded time and memory."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rdo.drivers.vagrant import command
from rdo.errors import ConnectError, RdoError
from tests.connecting import connected
from tests.ssh_client import ScriptedCaller
from tests.sshd import Sshd
from tests.vagrant_fake import FakeVagrant
from tests.vagrant_machine import driver

TIMEOUT = 20.0
"""Seconds for any call of Vagrant for a command."""

MEMORY = 64 * 1024 * 1024

LONGEST_LINE = 1200

ASK_TIMEOUT = 2.0
"""Seconds instead of two minutes."""

CONFIGS = {
    "nothing": "true",
    "no host": "echo hello",
    "a host without a place": "echo 'Host default'",
    "another host": "printf 'Host other\\n  HostName 127.0.0.1\\n'",
    "latin-1": "printf 'Host default\\n  HostName \\344\\n'",
    "a port that is none": "printf 'Host default\\n  HostName 127.0.0.1\\n  Port 99999999\\n'",
    "a keyword that is none": "printf 'Host default\\n  HostName 127.0.0.1\\n  Nonsense yes\\n'",
    "a host like an option": "printf 'Host default\\n  HostName -oProxyCommand=id\\n'",
    "no end": "yes",
    "a line without end": "tr '\\0' x </dev/zero",
    "errors without end": "yes >&2",
    "silence": "sleep 600",
    "an end that a child outlives": "sleep 4 & echo hello",
}

STATES = {
    "nothing": "true",
    "no machine-readable line": "echo hello",
    "half a line": "printf '1,default,sta'",
    "no machine": "echo 1,,state,running",
    "no state": "echo 1,default,state",
    "no time": "echo x,default,state,running",
    "a state of control characters": "printf '1,default,state,\\033[31mred\\n'",
    "a long state": "printf '1,default,state-human-short,'; head -c 99999 /dev/zero | tr '\\0' x; echo;"
    " echo 1,default,state,off",
    "a thousand machines": "i=0; while [ $i -lt 1000 ]; do echo 1,m$i,state,off; i=$((i+1)); done",
    "a failure of many lines": "i=0; while [ $i -lt 9999 ]; do echo why >&2; i=$((i+1)); done; exit 1",
    "a failure without a word": "exit 3",
    "a death": "kill -9 $$",
    "no end": "yes 1,default,state,off",
    "silence": "sleep 600",
}


@pytest.fixture
def vagrant(tmp_path: Path, sshd: Sshd) -> FakeVagrant:
    made = FakeVagrant(tmp_path, sshd)
    made.create()
    return made


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "ASK_TIMEOUT", ASK_TIMEOUT)


def check(attempt: Callable[[], object]) -> str:
    """Check that it fails with one line, within the limits of time and memory."""
    before, begun = peak(), time.monotonic()
    with pytest.raises(RdoError) as caught:
        attempt()
    line = str(caught.value)
    assert line.isprintable()
    assert len(line) < LONGEST_LINE
    assert time.monotonic() - begun < TIMEOUT
    assert peak() - before < MEMORY
    return line


def peak() -> int:
    """The largest number of bytes of memory that this process has used."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def connect(vagrant: FakeVagrant, *, machine: str | None = None, auto_up: bool = False) -> object:
    environment = vagrant.environment(os.environ)
    return connected(driver(vagrant.project, environment, machine, auto_up), ScriptedCaller(environment=environment))


@pytest.mark.parametrize("name", CONFIGS)
def test_an_odd_ssh_configuration_is_one_line(vagrant: FakeVagrant, name: str) -> None:
    vagrant.answer("ssh-config", CONFIGS[name])
    vagrant.answer("status", "echo 1,default,state,running")
    check(lambda: connect(vagrant))


@pytest.mark.parametrize("name", STATES)
def test_an_odd_status_is_one_line(vagrant: FakeVagrant, name: str) -> None:
    vagrant.answer("ssh-config", "exit 1")
    vagrant.answer("status", STATES[name])
    check(lambda: connect(vagrant))


@pytest.mark.parametrize("name", STATES)
def test_an_odd_status_is_one_line_when_a_machine_has_to_be_chosen(tmp_path: Path, sshd: Sshd, name: str) -> None:
    vagrant = FakeVagrant(tmp_path, sshd)
    vagrant.answer("status", STATES[name])
    vagrant.answer("ssh", "echo hello")
    check(lambda: connect(vagrant, auto_up=True))


def test_no_machine_of_many_is_guessed(tmp_path: Path, sshd: Sshd) -> None:
    vagrant = FakeVagrant(tmp_path, sshd)
    vagrant.states(web="off", db="off")
    line = check(lambda: connect(vagrant, auto_up=True))
    assert "has `web`, `db`, and none is primary" in line


def test_an_endless_line_of_vagrant_up_is_shown_in_parts_and_ends_with_its_caller(vagrant: FakeVagrant) -> None:
    class Leaving(ScriptedCaller):
        def report(self, line: str) -> None:
            super().report(line)
            if len(self.told) > 100:
                raise ConnectError("gone")

    vagrant.down(default="poweroff")
    vagrant.answer("up", "tr '\\0' x </dev/zero")
    environment = vagrant.environment(os.environ)
    caller = Leaving(environment=environment)
    check(lambda: connected(driver(vagrant.project, environment, None, True), caller))
    assert max(map(len, caller.told)) < 10_000


def test_a_vagrant_up_that_leaves_a_child_behind_has_ended(vagrant: FakeVagrant) -> None:
    vagrant.down(default="poweroff")
    vagrant.answer("up", "sleep 4 & echo up; exit 5")
    assert "failed: up" in check(lambda: connect(vagrant, auto_up=True))


FILES: dict[str, Callable[[Path], object]] = {
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a FIFO": lambda path: os.mkfifo(path),
    "a directory": lambda path: path.mkdir(),
    "a link to itself": lambda path: path.symlink_to(path),
    "100 MiB": lambda path: (path.touch(), os.truncate(path, 100 * 1024 * 1024)),
    "brackets": lambda path: path.write_text("[" * 100_000),
    "numbers for texts": lambda path: path.write_text('{"a": {"b": {"hostpath": 7, "guestpath": 8}}}'),
    "lists for objects": lambda path: path.write_text('{"a": [1], "b": {"c": [2]}}'),
    "a number of 5,000 digits": lambda path: path.write_text('{"a": ' + "9" * 5000 + "}"),
    "latin-1": lambda path: path.write_bytes('{"a": {"b": {"hostpath": "/ä", "guestpath": "/x"}}}'.encode("latin-1")),
    "a NUL in a path": lambda path: path.write_text('{"a": {"b": {"hostpath": "/a\\u0000", "guestpath": "/x"}}}'),
    "half a letter": lambda path: path.write_text('{"a": {"b": {"hostpath": "/\\ud800", "guestpath": "/x"}}}'),
}


@pytest.mark.parametrize("file", ["id", "synced_folders", "index_uuid"])
@pytest.mark.parametrize("name", FILES)
def test_an_odd_file_of_vagrant_is_ignored(vagrant: FakeVagrant, file: str, name: str) -> None:
    (directory,) = (vagrant.project / ".vagrant" / "machines" / "default").iterdir()
    (directory / file).unlink(missing_ok=True)
    FILES[name](directory / file)
    before, begun = peak(), time.monotonic()
    roots = driver(vagrant.project, vagrant.environment(os.environ), None, False).roots()
    assert all("\0" not in root.local + root.remote for root in roots)
    assert time.monotonic() - begun < TIMEOUT
    assert peak() - before < MEMORY
