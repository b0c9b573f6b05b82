"""Fixtures for tests of the lifeline."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.unit.remote_sh.lifeline import SAFE_KILL, Start, kill_group


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Path]:
    """A directory for the front of PATH, with a `kill` that cannot signal a group."""
    kill = tmp_path / "kill"
    kill.write_text(SAFE_KILL)
    kill.chmod(0o755)
    yield tmp_path
    assert not (tmp_path / "kill.log").exists()


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a program in its own session, and waits until it is ready. At the end, the whole session is killed."""
    with ExitStack() as stack:

        def go(text: str, session: bool = True) -> subprocess.Popen[bytes]:
            argv = ["/bin/sh", "-c", text]
            child = subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=session)
            stack.enter_context(child)
            stack.callback(kill_group if session else subprocess.Popen.kill, child)
            assert child.stdout
            assert child.stdout.readline() == b"ready\n"
            return child

        yield go
