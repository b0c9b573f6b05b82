"""The rows about forwarded ports, compared with `ssh -L` over a ControlMaster."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import served
from benchmarks.command import BUFFER, TIMEOUT, BenchmarkError, Command, Skipped
from benchmarks.cpu_rows import used
from benchmarks.figures import Outcome
from benchmarks.interleave import Sample
from benchmarks.plan import Plan
from benchmarks.ssh_rows import compare
from benchmarks.target import LOGIN_TIMEOUT, Target, control_master, ssh_target
from tests.ssh_server import free_port

CONNECTIONS = 50
SECONDS = 2
"""Seconds for one sample of requests, of which there are thousands."""

LOOK_INTERVAL = 0.002
"""Seconds between two attempts to connect."""

SETTLE = 3.0
"""Seconds to wait after the start of a command, which takes more CPU time than watching it."""

WATCHED_TIME = 10.0
"""Seconds for one sample of CPU time."""


def throughput(plan: Plan) -> Outcome:
    """The throughput of one long response."""
    with _forwarded(plan, "bulk", str(plan.bulk)) as (ours, theirs):
        return compare(plan, _speed(ours, plan.bulk), _speed(theirs, plan.bulk), warm_ups=1)


def requests(plan: Plan) -> Outcome:
    """The rate of many short requests."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise Skipped("wrk is not installed")
    with _forwarded(plan, "http") as (ours, theirs):
        return compare(plan, _rate(wrk, ours), _rate(wrk, theirs), warm_ups=1)


@contextlib.contextmanager
def _forwarded(plan: Plan, *words: str) -> Iterator[tuple[int, int]]:
    """Local ports, one of rdo and one of ssh, that lead to a server on the target. Raises BenchmarkError."""
    with ssh_target(plan.space) as target, control_master(target) as held, _server(*words) as there:
        ours, theirs = free_port(), free_port()
        config = target.project.directory / ".rdo.conf"
        config.write_text(f'{config.read_text()}forward = ["{ours}:{there}"]\n')
        plan.space.allow(target.project)
        target.rdo("true").time()
        _ask_master(target, held, f"{theirs}:localhost:{there}")
        yield ours, theirs


@contextlib.contextmanager
def _server(*words: str) -> Iterator[int]:
    command = [sys.executable, "-S", served.__file__, *words]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True) as server:
        try:
            assert server.stdout is not None
            yield int(server.stdout.readline())
        finally:
            server.kill()


def _ask_master(target: Target, held: Path, forward: str) -> None:
    program, *words = target.ssh(held=held).argv
    command = [program, "-O", "forward", "-L", forward, *words]
    done = subprocess.run(command, env=dict(target.project.environment), capture_output=True, timeout=LOGIN_TIMEOUT)
    if done.returncode != 0:
        raise BenchmarkError(f"ssh does not forward: {done.stderr.decode().strip()}")


def _speed(port: int, size: int) -> Sample:
    """The throughput in MB/s."""

    def sample() -> float:
        room, left = bytearray(BUFFER), size
        started = time.perf_counter()
        with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
            while count := connection.recv_into(room):
                left -= count
        if left:
            raise BenchmarkError(f"{left} bytes did not come")
        return size / (time.perf_counter() - started) / 1e6

    return sample


def _rate(wrk: str, port: int) -> Callable[[], float]:
    """The rate in requests per second."""
    command = [wrk, f"-c{CONNECTIONS}", "-t2", f"-d{SECONDS}s", f"http://127.0.0.1:{port}/"]

    def sample() -> float:
        said = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=True, text=True).stdout
        found = re.search(r"Requests/sec:\s*([\d.]+)", said)
        if found is None or "Socket errors" in said:
            raise BenchmarkError(f"wrk: {said}")
        return float(found[1])

    return sample


LISTENER = """
import socket, sys, time
time.sleep(1)
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(time.monotonic(), flush=True)
sys.stdin.read()
"""
"""Listens only after a while, when the port watch knows that a command is running."""


def reachable(plan: Plan) -> Outcome:
    """The time until a port that a command listens on is forwarded. As it is in use here, it gets the next number."""
    with _watched(plan) as target:
        target.rdo("true").time()
        return Outcome(plan.goal, tuple(_until_reachable(target) for _ in range(plan.repetitions)))


def watching_here(plan: Plan) -> Outcome:
    """How much of a core the control master uses while a command runs that does not listen on a port."""
    return _watching(plan, lambda target, master: used(master))


def watching_there(plan: Plan) -> Outcome:
    """How much of a core all processes of the user on the target use meanwhile."""
    return _watching(plan, lambda target, master: _used_by(target.home.stat().st_uid))


@contextlib.contextmanager
def _watched(plan: Plan) -> Iterator[Target]:
    with ssh_target(plan.space) as target:
        config = target.project.directory / ".rdo.conf"
        config.write_text(f"{config.read_text()}auto_forward = true\n")
        plan.space.allow(target.project)
        yield target


def _until_reachable(target: Target) -> float:
    """The time in milliseconds. Raises BenchmarkError."""
    port = free_port()  # the next port is free, too, and outside of the ephemeral range
    command = target.rdo("python3", "-c", LISTENER, str(port))
    with _started(command) as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        if not line:
            raise BenchmarkError("python3 does not run on the target")
        began = float(line)
        while time.monotonic() < began + LOGIN_TIMEOUT:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port + 1), 1):
                return (time.monotonic() - began) * 1000
            time.sleep(LOOK_INTERVAL)
    raise BenchmarkError(f"port {port} was never forwarded")


def _watching(plan: Plan, measure: Callable[[Target, int], float]) -> Outcome:
    """The usage in percent of a core."""
    with _watched(plan) as target, _started(target.rdo("sleep", str(TIMEOUT))):
        time.sleep(SETTLE)
        master, samples = plan.space.master_pid(), []
        for _ in range(plan.repetitions):
            before, started = measure(target, master), time.monotonic()
            time.sleep(WATCHED_TIME)
            samples.append((measure(target, master) - before) / (time.monotonic() - started) * 100)
        return Outcome(plan.goal, tuple(samples))


@contextlib.contextmanager
def _started(command: Command) -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen(
        command.argv, cwd=command.directory, env=dict(command.environment), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    with running:
        try:
            yield running
        finally:
            running.terminate()


def _used_by(user: int) -> float:
    """Seconds of CPU time of all processes of a user, and of the children that they have waited for."""
    total = 0
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if directory.stat().st_uid == user:
                fields = (directory / "stat").read_text().rpartition(")")[2].split()
                total += sum(map(int, fields[11:15]))
    return total / os.sysconf("SC_CLK_TCK")
