"""Tests a command to one target during a stream from another one at full speed, which takes all CPU time of the
machine.
"""

from __future__ import annotations

import contextlib
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.project import Project, ssh_project
from tests.sshd import Sshd

PAIRS = 15
"""Commands during a stream, and as many without it, in turn."""

STARVED = 4.0
"""The ratio of a command's time during a stream to its time alone from which on it counts as starved. The stream uses
both cores, so a part of this is due to the machine.
"""

PAUSE = 0.05
"""Seconds for a stream to stop, or to reach its full speed."""


@contextlib.contextmanager
def paused(process: subprocess.Popen[bytes]) -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(PAUSE)
        yield
    finally:
        process.send_signal(signal.SIGCONT)
        time.sleep(PAUSE)


def seconds(project: Project) -> float:
    began = time.perf_counter()
    assert project.run("true").returncode == 0
    return time.perf_counter() - began


def ratio(project: Project, flood: subprocess.Popen[bytes]) -> float:
    """The ratio of a command's time during the stream to its time alone."""
    beside, alone = [], []
    for _ in range(PAIRS):
        beside.append(seconds(project))
        with paused(flood):
            alone.append(seconds(project))
    return statistics.median(beside) / statistics.median(alone)


@pytest.mark.serial
def test_a_stream_at_full_speed_does_not_starve_commands_to_other_targets(
    project: Project, runtime: dict[str, str], own_sshd: Callable[..., Sshd], tmp_path: Path
) -> None:
    floods = ssh_project(tmp_path / "floods", runtime, own_sshd().start())
    with floods.start("cat", "/dev/zero", stdout=subprocess.DEVNULL) as flood:
        assert ratio(project, flood) < STARVED
        assert flood.poll() is None
        flood.kill()
