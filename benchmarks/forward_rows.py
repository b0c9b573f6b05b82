"""The rows of forwarded ports, beside `ssh -L` over a ControlMaster."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import served
from benchmarks.command import BUFFER, TIMEOUT, BenchmarkError, Skipped
from benchmarks.figures import Outcome
from benchmarks.interleave import Sample
from benchmarks.plan import Plan
from benchmarks.ssh_rows import compare
from benchmarks.target import LOGIN_TIMEOUT, Target, control_master, ssh_target

CONNECTIONS = 50
SECONDS = 2
"""For one sample of requests: thousands of them."""


def throughput(plan: Plan) -> Outcome:
    """One long answer."""
    with _forwarded(plan, "bulk", str(plan.bulk)) as (ours, theirs):
        return compare(plan, _speed(ours, plan.bulk), _speed(theirs, plan.bulk), warm_ups=1)


def requests(plan: Plan) -> Outcome:
    """Many short ones."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise Skipped("wrk is not installed")
    with _forwarded(plan, "http") as (ours, theirs):
        return compare(plan, _rate(wrk, ours), _rate(wrk, theirs), warm_ups=1)


@contextlib.contextmanager
def _forwarded(plan: Plan, *words: str) -> Iterator[tuple[int, int]]:
    """Ports here, by rdo and by ssh, of a server on the target. Raises BenchmarkError."""
    with ssh_target(plan.space) as target, control_master(target) as held, _server(*words) as there:
        ours, theirs = _free_port(), _free_port()
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _speed(port: int, size: int) -> Sample:
    """MB/s."""

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
    """Requests a second."""
    command = [wrk, f"-c{CONNECTIONS}", "-t2", f"-d{SECONDS}s", f"http://127.0.0.1:{port}/"]

    def sample() -> float:
        said = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=True, text=True).stdout
        found = re.search(r"Requests/sec:\s*([\d.]+)", said)
        if found is None or "Socket errors" in said:
            raise BenchmarkError(f"wrk: {said}")
        return float(found[1])

    return sample
