"""Tests for `make demo` from start to end, and for its temporary SSH server, which has to behave like sshd as far as
rdo needs.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko
import pytest

from tests.leaks import wait_until

DEMO = Path(__file__).parents[2] / "demo"

TIMEOUT = 30.0
"""Seconds for a step that normally takes less than one."""

DEMO_TIMEOUT = 120.0
"""Seconds for the whole demo, including forty timed commands."""


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """The directory of a running demo server."""
    argv = [sys.executable, str(DEMO / "server.py"), str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        yield tmp_path
        server.stdin.close()
        assert server.wait(TIMEOUT) == 0


@contextlib.contextmanager
def connected(directory: Path, key: paramiko.PKey | None = None) -> Iterator[paramiko.Transport]:
    """Log in as the demo does, or with another key."""
    host = paramiko.SSHConfig.from_path(str(directory / "keys/ssh_config")).lookup("demo")
    with paramiko.SSHClient() as client:
        client.load_host_keys(host["userknownhostsfile"])
        client.connect(
            host["hostname"],
            int(host["port"]),
            host["user"],
            pkey=key or paramiko.ECDSAKey.from_private_key_file(host["identityfile"][0]),
            allow_agent=False,
            look_for_keys=False,
            timeout=TIMEOUT,
        )
        transport = client.get_transport()
        assert transport is not None
        yield transport


def run(transport: paramiko.Transport, command: str, stdin: bytes = b"") -> tuple[bytes, bytes, int]:
    """Standard output, standard error and exit status of a command."""
    with transport.open_session() as channel:
        channel.settimeout(TIMEOUT)
        channel.exec_command(command)
        with ThreadPoolExecutor() as pool:
            output = pool.submit(channel.makefile("rb").read)
            errors = pool.submit(channel.makefile_stderr("rb").read)
            channel.sendall(stdin)
            channel.shutdown_write()
            return output.result(TIMEOUT), errors.result(TIMEOUT), channel.recv_exit_status()


def test_streams_stay_apart_and_the_status_arrives(directory: Path) -> None:
    with connected(directory) as transport:
        assert run(transport, "pwd; echo err >&2; exit 7") == (f"{directory}/vm\n".encode(), b"err\n", 7)


def test_the_end_of_input_reaches_the_command(directory: Path) -> None:
    data = os.urandom(1 << 20)
    with connected(directory) as transport:
        assert run(transport, "cat", data) == (data, b"", 0)


def test_many_commands_share_a_connection(directory: Path) -> None:
    with connected(directory) as transport, ThreadPoolExecutor(20) as pool:
        results = list(pool.map(lambda number: run(transport, f"echo {number}; exit {number}"), range(100)))
    assert results == [(f"{number}\n".encode(), b"", number) for number in range(100)]


def test_a_terminal_has_the_requested_size_and_is_resized(directory: Path) -> None:
    with connected(directory) as transport, transport.open_session() as channel:
        channel.settimeout(TIMEOUT)
        channel.get_pty("xterm", width=120, height=50)
        channel.exec_command("stty size; read -r line; stty size; echo $TERM")
        output = channel.makefile("rb")
        assert output.readline() == b"50 120\r\n"
        channel.resize_pty(width=99, height=33)
        channel.sendall(b"\n")
        assert output.read().split() == [b"33", b"99", b"xterm"]


def test_ctrl_c_on_a_terminal_ends_the_command(directory: Path) -> None:
    with connected(directory) as transport, transport.open_session() as channel:
        channel.settimeout(TIMEOUT)
        channel.get_pty()
        channel.exec_command("trap 'exit 9' INT; echo ready; while :; do sleep 1; done")
        assert channel.makefile("rb").readline() == b"ready\r\n"
        channel.sendall(b"\x03")
        assert channel.recv_exit_status() == 9


def test_a_command_ends_with_its_connection(directory: Path) -> None:
    with connected(directory) as transport:
        channel = transport.open_session()
        channel.exec_command("echo $$; exec sleep 1000")
        pid = int(channel.makefile("rb").readline())
    assert wait_until(lambda: not alive(pid), TIMEOUT)


def alive(pid: int) -> bool:
    """Whether a process of this user exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_another_key_is_refused(directory: Path) -> None:
    with pytest.raises(paramiko.AuthenticationException), connected(directory, paramiko.ECDSAKey.generate()):
        pass


def test_nothing_but_commands_is_served(directory: Path) -> None:
    with connected(directory) as transport, pytest.raises(paramiko.ChannelException):
        transport.open_channel("direct-tcpip", ("127.0.0.1", 22), ("127.0.0.1", 1), timeout=TIMEOUT)


@pytest.fixture
def demo(runtime: dict[str, str]) -> list[str]:
    """The command that `make demo` runs, after its project was created."""
    for program in ("rdo", "rdoctl"):
        if not (Path(sys.executable).parent / program).exists():
            pytest.skip(f"`{program}` is not installed beside the interpreter")
    return [sys.executable, str(DEMO / "demo.py")]


def test_the_demo_shows_a_command_a_pipe_a_status_and_the_timing(demo: list[str], runtime: dict[str, str]) -> None:
    result = subprocess.run(demo, env=runtime, capture_output=True, text=True, timeout=DEMO_TIMEOUT, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    start = lines.index("$ cd src && rdo make bootstrap")
    assert lines[start + 1].startswith("bootstrap: connected by 127.0.0.1 ")
    pipe = lines.index(r"$ printf 'pear\napple\nfig\n' | rdo sort | head -2")
    assert lines[pipe + 1 : pipe + 5] == ["apple", "fig", "$ rdo sh -c 'exit 7'; echo $?", "7"]
    assert [line[4:30].strip() for line in lines if line.endswith(" ms")] == ["rdo", "ssh with a ControlMaster", "ssh"]
    assert "    rdoctl init " in result.stdout[result.stdout.index("What to type next") :]
    assert "bootstrap: a warning, on stderr" in result.stderr.splitlines()


def test_the_demo_cleans_up_when_it_is_interrupted(demo: list[str], runtime: dict[str, str]) -> None:
    with subprocess.Popen(demo, env=runtime, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, b"")
        root = next(Path(line.split(b'"')[1].decode()).parents[2] for line in lines if line.startswith(b"directory"))
        next(line for line in lines if b"rdo make bootstrap" in line)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT)
    assert process.returncode == 128 + signal.SIGINT
    assert not root.exists()
