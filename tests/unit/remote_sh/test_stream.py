"""Tests for stream.sh: it connects to a server with each program that a container may have, and reports how that
ended.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from rdo.config.forwards import Endpoint
from rdo.drivers.docker.stream_script import FRAMED, RAW, script
from tests.unit.remote_sh.shells import TIMEOUT

NONCE = "0123456789abcdef"

PROGRAMS = {"python3": "/usr/bin/python3", "perl": "", "socat": "", "nc": "", "bash": ""}
"""The programs that are tried, in this order, and their paths if they are not found by name."""


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each program in turn, in a directory that otherwise has only programs that every system has."""
    name = str(request.param)
    found = PROGRAMS[name] or shutil.which(name)
    if not found or not os.path.exists(found):
        pytest.skip(f"{name} is not installed")
    for tool in (name, "cat", "sh"):
        os.symlink(found if tool == name else str(shutil.which(tool)), tmp_path / tool)
    return name


def start(destination: Endpoint, path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", "-c", script(destination, NONCE)],
        env={"PATH": str(path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def frames(program: str, *pieces: bytes) -> bytes:
    """Frames in the format of the program."""
    if program not in ("python3", "perl"):
        return b"".join(pieces)
    return b"".join(len(piece).to_bytes(4, "big") + piece for piece in pieces)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_bytes_go_both_ways_and_the_end_of_the_server_is_reported(program: str, tmp_path: Path, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(TIMEOUT)
        destination = Endpoint(host, listening.getsockname()[1])
        with start(destination, tmp_path) as relay:
            assert relay.stdin
            assert relay.stdout
            relay.stdin.write(frames(program, b"hello"))
            relay.stdin.flush()
            server, _ = listening.accept()
            with server:
                server.settimeout(TIMEOUT)
                assert server.recv(5, socket.MSG_WAITALL) == b"hello"
                server.sendall(b"good bye")
            kind = FRAMED if program in ("python3", "perl") else RAW
            expected = kind + frames(program, b"good bye", b"")
            assert relay.stdout.read(len(expected)) == expected
            out, said = relay.communicate(timeout=TIMEOUT)
            assert (out, said.endswith(f"{NONCE}0".encode())) == (b"", kind == RAW), said


def test_a_missing_server_is_reported(program: str, tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with start(Endpoint("127.0.0.1", nobody.getsockname()[1]), tmp_path) as relay:
            out, said = relay.communicate(timeout=TIMEOUT)
    assert out in (b"", RAW)
    assert said.endswith(f"{NONCE}1".encode())


def test_a_missing_program_is_reported(tmp_path: Path) -> None:
    os.symlink(str(shutil.which("cat")), tmp_path / "cat")
    with start(Endpoint("127.0.0.1", 1), tmp_path) as relay:
        assert relay.communicate(timeout=TIMEOUT) == (b"", f"{NONCE}2".encode())
