"""Tests for invalid answers of an engine: the result is one line, in bounded time and memory."""

from __future__ import annotations

import contextlib
import itertools
import os
import resource
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from rdo.config.schema import Settings
from rdo.drivers.base import ChannelOptions
from rdo.drivers.docker import exec, image_source
from rdo.drivers.docker.driver import DockerDriver
from rdo.drivers.docker.endpoint import resolve
from rdo.drivers.docker.engine import Engine
from rdo.errors import ConnectError, RdoError
from rdo.pool import shell
from rdo.pool.connection import HeldConnection
from rdo.remote_sh.script import Script
from tests.connecting import connected
from tests.e2e.project import make_project
from tests.odd_answers import ALL, CHUNKED, PLAIN, say
from tests.odd_engine import OddEngine, Say, answer
from tests.soak import Counted, tries
from tests.ssh_client import ScriptedCaller

TIMEOUT = 20.0
"""Seconds in which a command must have handled any answer."""

MEMORY = 200 * 1024 * 1024
"""Bytes by which memory may grow: an answer of up to 16 MiB is read as a whole, and JSON takes several times that."""

SLOW = ("without end",)
"""Names of answers with these endings are waited for as long as any shell."""

LONGEST_LINE = 1000
"""The maximum length of an error: somewhat more than that of the engine's own message."""


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "READY_TIMEOUT", 1.0)
    monkeypatch.setattr(exec, "STATUS_TIMEOUT", 0.5)


@contextlib.contextmanager
def engine(path: Path, odd: dict[str, Say]) -> Iterator[OddEngine]:
    made = OddEngine(path / "engine.sock", odd)
    try:
        yield made
    finally:
        made.close()
        os.unlink(path / "engine.sock")


def run(environment: dict[str, str]) -> int:
    """Run a command in the container as the control master does. Returns its exit status. Raises RdoError."""
    driver = DockerDriver(Settings(container="web"), "/tmp", "default", environment)
    assert driver.roots()[0].local == "/"
    connection = connected(driver, ScriptedCaller(environment=environment))
    try:
        ready = HeldConnection(connection).open_shell(ChannelOptions())
        ready.start(Script(command=["true"]))
        while ready.channel.read(TIMEOUT) is not None:
            pass
        return ready.channel.exit_status()
    finally:
        connection.close()


def test_a_valid_engine_runs_the_command(tmp_path: Path) -> None:
    with engine(tmp_path, {}) as made:
        assert run(made.environment) == 0


@pytest.mark.parametrize("name", ALL)
def test_an_odd_answer_is_one_line(tmp_path: Path, name: str) -> None:
    question, what = ALL[name]
    before, begun = peak(), time.monotonic()
    with engine(tmp_path, {question: what}) as made, pytest.raises(RdoError) as caught:
        run(made.environment)
    line = str(caught.value)
    assert line.isprintable()
    assert len(line) < LONGEST_LINE
    assert time.monotonic() - begun < TIMEOUT
    assert peak() - before < MEMORY


LISTS = {
    "an object": {},
    "a list of null": [None],
    "a name that is a number": [{"Id": "x", "Names": [7]}],
    "labels that are a list": [{"Id": "x", "Labels": []}],
    "no id": [{"Names": ["/web"], "State": "running"}],
}


@pytest.mark.parametrize("name", LISTS)
def test_an_odd_list_of_containers_is_one_line(tmp_path: Path, name: str) -> None:
    with engine(tmp_path, {"list": say(answer(LISTS[name]))}) as made:
        driver = DockerDriver(Settings(service="web"), "/tmp", "default", made.environment)
        with pytest.raises(ConnectError, match="invalid answer from the Docker engine to `GET /containers/json`"):
            driver.roots()


PULLS: dict[str, tuple[bytes | Iterable[bytes], str]] = {
    "no JSON": (b"pulling\n", "`POST /images/create`: it is not JSON"),
    "a list": (b"[]\n", "`POST /images/create`: it is not an object"),
    "a number for an error": (b'{"error": 7}\n', "`POST /images/create`: `error` is not text"),
    "an error of many lines": (b'{"error": "a\\nb"}\n', "cannot pull the image `x`: a b; "),
    "a total that is a text": (
        b'{"status": "Downloading", "id": "a", "progressDetail": {"total": "9"}}\n', "create`: `progressDetail"
    ),
    "a line without end": (itertools.repeat(b"x" * 8192), "`POST /images/create`: a line does not end"),
}  # fmt: skip


@pytest.mark.parametrize("name", PULLS)
def test_odd_progress_is_one_line(tmp_path: Path, name: str) -> None:
    lines, why = PULLS[name]
    with engine(tmp_path, {"/v1.41/images/create": say(PLAIN + b"\r\n", lines)}) as made:
        asking = Engine(resolve(made.environment), made.environment)
        with pytest.raises(ConnectError) as caught:
            image_source.ensure_pulled(asking, "x", "missing", ScriptedCaller(environment=made.environment))
        asking.close()
    assert why in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("head -c 50000000 /dev/zero | tr '\\0' x >&2; exit 255", "cannot be reached: xxx"),
        ("head -c 50000000 /dev/zero >&2; echo >&2; echo last >&2; exit 255", "cannot be reached: last"),
        ("yes >&2", "no response in time"),
    ],
)
def test_an_ssh_that_prints_much_on_the_way_is_one_line(tmp_path: Path, script: str, why: str) -> None:
    program = tmp_path / "ssh"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    environment = {"DOCKER_HOST": "ssh://devbox", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    before = peak()
    asking = Engine(resolve(environment), environment)
    asking._version = (1, 41)
    with pytest.raises(ConnectError, match=why) as caught:
        asking.ask("GET", "/containers/web/json", timeout=3.0)
    assert len(str(caught.value)) < LONGEST_LINE
    assert peak() - before < MEMORY


def peak() -> int:
    """The largest number of bytes of memory that this process has used."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def slowly(head: bytes) -> Say:
    """Sends this much, and then a byte from time to time."""

    def send(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            time.sleep(0.02)
            connection.sendall(b" ")

    return send


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(slowly(b""), id="a head"),
        pytest.param(slowly(PLAIN + b"Content-Length: 99999\r\n\r\n"), id="a body"),
        pytest.param(slowly(CHUNKED + b"ffff\r\n"), id="a piece"),
        pytest.param(slowly(PLAIN + b"\r\n"), id="a body without a length"),
    ],
)
def test_an_occasional_byte_is_not_an_answer(tmp_path: Path, what: Say) -> None:
    with engine(tmp_path, {"inspect": what}) as made:
        asking = Engine(resolve(made.environment), made.environment)
        begun = time.monotonic()
        with pytest.raises(ConnectError, match="no response in time"):
            asking.ask("GET", "/containers/web/json", timeout=0.3)
        assert time.monotonic() - begun < TIMEOUT
        asking.close()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        pytest.param(b"HTTP/1.1 200", 200, id="no reason"),
        pytest.param(b"HTTP/1.0 200 OK", 200, id="an old version"),
        pytest.param(b"HTTP/1.1 200 " + "schön".encode("latin-1"), 200, id="a reason that is latin-1"),
    ],
)
def test_unusual_but_valid_answers_are_understood(tmp_path: Path, head: bytes, status: int) -> None:
    body = answer({"Id": "x"}).partition(b"\r\n")[2]
    with engine(tmp_path, {"inspect": say(head + b"\r\n" + body)}) as made:
        asking = Engine(resolve(made.environment), made.environment)
        assert asking.ask("GET", "/containers/web/json").text("Id") == "x"
        asking.close()


@pytest.mark.soak
def test_after_odd_engines_the_master_still_works(tmp_path: Path, runtime: dict[str, str], counted: Counted) -> None:
    project = make_project(tmp_path, {**runtime, "DOCKER_HOST": f"unix://{tmp_path}/engine.sock"})
    project.configure(f'driver = "docker"\ncontainer = "web"\ndirectory = "{project.local}"\n')
    quick = [name for name in ALL if not name.endswith(SLOW)]
    count = tries(3, 50)
    for name in counted("odd engines", quick[:: len(quick) // count][:count]):
        question, what = ALL[name]
        with engine(tmp_path, {question: what}) as made:
            found = project.run("true")
            assert (found.returncode, found.stdout) == (255, b""), name
            assert found.stderr.startswith(b"rdo: "), name
            assert found.stderr.count(b"\n") == 1, name
            assert made.asked.count(question) < 10, name
        with engine(tmp_path, {}):
            assert project.run("echo", "again").stdout == b"again\n"
        assert project.shell("rdoctl stop --now").returncode == 0  # so that the next one has to ask everything again
