"""A server that allows one session (MaxSessions 1), so that there is no lifeline to send signals."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.project import TIMEOUT, ssh_project
from tests.leaks import wait_until
from tests.sshd import Sshd

pytestmark = pytest.mark.usefixtures("lent")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_cannot_be_sent_ends_rdo_at_once(
    own_sshd: Callable[..., Sshd], tmp_path: Path, runtime: dict[str, str], number: signal.Signals
) -> None:
    """As it ends ssh; the command may continue."""
    with own_sshd("MaxSessions 1") as server:
        project = ssh_project(tmp_path / "project", runtime, server)
        with project.start("sh", "-c", "echo up; until [ -e end ]; do sleep 0.05; done; : >ended") as process:
            process.expect_up()
            process.send_signal(signal.SIGUSR1)
            process.send_signal(number)
            assert process.stderr
            assert process.stderr.read().decode() == (
                f"rdo: cannot send {number.name} to the command: the target allows no second session beside it "
                "(MaxSessions); it may still be running; with `rdo -t`, Ctrl-C reaches it\n"
            )
            assert process.wait(TIMEOUT) == 255
        assert project.run("echo", "next").stdout == b"next\n"
        (project.remote / "end").touch()
        assert wait_until((project.remote / "ended").exists, 10)
