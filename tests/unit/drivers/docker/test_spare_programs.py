"""Tests for spare programs in a container: used while they wait, replaced, and ended with the connection."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from rdo.config.forwards import Endpoint
from rdo.drivers.docker import spare_programs
from rdo.drivers.docker.engine import EngineError
from rdo.drivers.docker.spare_programs import SPARE_LIMIT, SparePrograms
from rdo.drivers.docker.stream import HijackedStream, SocketStream
from rdo.drivers.docker.stream_script import FRAMED, RAW, destination_lines, waiting_script

TIMEOUT = 20.0


class Starts:
    """Replaces the engine: each program is the far end of a socket pair."""

    def __init__(self) -> None:
        self.far: list[socket.socket] = []

    def __call__(self, command: str) -> HijackedStream:
        near, far = socket.socketpair()
        self.far.append(far)
        return HijackedStream(SocketStream(near), b"")

    def close(self) -> None:
        for far in self.far:
            far.close()


def has_ended(far: socket.socket) -> bool:
    far.settimeout(TIMEOUT)
    return far.recv(1) == b""


def test_a_waiting_program_is_used_and_their_number_is_limited() -> None:
    starts = Starts()
    spares = SparePrograms(starts)
    for _ in range(SPARE_LIMIT + 2):
        spares.refill()
    assert len(starts.far) == SPARE_LIMIT
    taken = [spares.take() for _ in range(SPARE_LIMIT)]
    assert len(starts.far) == SPARE_LIMIT
    taken.append(spares.take())
    assert len(starts.far) == SPARE_LIMIT + 1
    assert len({program.nonce for program in taken}) == len(taken)
    for program in taken:
        program.stream.wire.close()
    starts.close()


def test_a_program_that_has_ended_or_is_old_is_not_used() -> None:
    starts = Starts()
    spares = SparePrograms(starts)
    spares.refill()
    starts.far[0].close()
    spares.take().stream.wire.close()
    assert len(starts.far) == 2
    spares.refill()
    time.sleep(0.01)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(spare_programs, "SPARE_AGE", 0.001)
        spares.take().stream.wire.close()
    assert has_ended(starts.far[2])
    assert len(starts.far) == 4
    starts.close()


def test_none_is_left_at_the_end() -> None:
    starts = Starts()
    spares = SparePrograms(starts)
    spares.refill()
    spares.close()
    spares.refill()
    assert len(starts.far) == 1
    assert has_ended(starts.far[0])
    starts.close()


def test_a_failure_to_start_one_is_no_error_until_one_is_needed() -> None:
    def start(command: str) -> HijackedStream:
        raise EngineError(409, "the container is paused")

    spares = SparePrograms(start)
    spares.refill()
    with pytest.raises(EngineError):
        spares.take()


@pytest.mark.parametrize("name", ["python3", "perl", "socat", "nc", "bash"])
def test_a_script_waits_for_its_destination_and_then_connects(tmp_path: Path, name: str) -> None:
    found = "/usr/bin/python3" if name == "python3" else shutil.which(name)
    if not found or not os.path.exists(found):
        pytest.skip(f"{name} is not installed")
    for tool in (name, "cat", "sh", "sleep"):
        os.symlink(found if tool == name else str(shutil.which(tool)), tmp_path / tool)
    pipe = subprocess.PIPE
    words = ["/bin/sh", "-c", waiting_script("0123456789abcdef")]
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        subprocess.Popen(words, env={"PATH": str(tmp_path)}, stdin=pipe, stdout=pipe, stderr=pipe) as program,
    ):
        assert program.stdin
        assert program.stdout
        listening.settimeout(TIMEOUT)
        program.stdin.write(destination_lines(Endpoint("127.0.0.1", listening.getsockname()[1])))
        program.stdin.flush()
        server, _ = listening.accept()
        assert program.stdout.read(1) in (FRAMED, RAW)
        server.close()
        program.communicate(timeout=TIMEOUT)


def test_a_script_that_gets_no_destination_ends() -> None:
    done = subprocess.run(["/bin/sh", "-c", waiting_script("n")], input=b"", capture_output=True, timeout=TIMEOUT)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
