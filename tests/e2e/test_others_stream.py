"""A command to one target beside a stream from another one at full speed, which takes all that the machine has."""

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
"""Commands beside a stream and as many without it, by turns."""

STARVED = 4.0
"""What a command costs beside a stream at full speed, by what it costs alone, from which on it has to wait for it. The
stream takes all that two cores have, so that some of this is the machine's.
"""

PAUSE = 0.05
"""Seconds in which a stream comes to a stop, or to its full speed."""


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
    """What a command costs beside the stream, by what it costs alone."""
    beside, alone = [], []
    for _ in range(PAIRS):
        beside.append(seconds(project))
        with paused(flood):
            alone.append(seconds(project))
    return statistics.median(beside) / statistics.median(alone)


@pytest.mark.serial
def test_a_stream_at_full_speed_starves_no_command_of_others(
    project: Project, runtime: dict[str, str], own_sshd: Callable[..., Sshd], tmp_path: Path
) -> None:
    floods = ssh_project(tmp_path / "floods", runtime, own_sshd().start())
    with floods.start("cat", "/dev/zero", stdout=subprocess.DEVNULL) as flood:
        assert ratio(project, flood) < STARVED
        assert flood.poll() is None
        flood.kill()
