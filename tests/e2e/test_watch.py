"""Tests for `rdo --watch`, which runs a command again after each change of a local file."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests import clients
from tests.e2e.project import TIMEOUT, Project, local_project, ssh_project
from tests.e2e.terminal import Terminal
from tests.leaks import wait_until
from tests.sshd import Sshd

AGAIN_TIMEOUT = 1.0
"""Seconds in which an unexpected run would have been noticed."""

pytestmark = pytest.mark.usefixtures("lent")


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str], sshd: Sshd, client: str) -> Project:
    made = ssh_project(tmp_path, runtime | clients.path(client, runtime["PATH"]), sshd, 'sync = "push"\n')
    subprocess.run(["git", "init", "-q"], cwd=made.local, check=True)
    (made.local / ".gitignore").write_text("*.log\n")
    return made


@pytest.mark.both_clients
def test_a_command_runs_again_after_each_change_and_ctrl_c_ends_it(project: Project) -> None:
    (project.local / "a").write_text("first\n")
    with project.start("--watch", "cat", "a", start_new_session=True) as running:
        assert running.stdout
        assert running.stdout.readline() == b"first\n"
        for text in (b"second\n", b"third\n"):
            (project.local / "b.log").write_bytes(text)  # a change of an ignored file does not matter
            (project.local / "a").write_bytes(text)
            assert running.stdout.readline() == text
        os.killpg(running.pid, signal.SIGINT)
        assert running.wait(TIMEOUT) == 130
        assert running.stdout.read() == b""


def test_many_simultaneous_changes_cause_one_run(project: Project) -> None:
    (project.local / "n").write_text("0\n")
    with project.start("--watch", "-c", "echo run; cat n; ls many 2>/dev/null | wc -l") as running:
        assert running.stdout
        assert running.stdout.readline() == b"run\n"
        (project.local / "many").mkdir()
        for number in range(300):
            (project.local / "many" / f"{number}").write_text("x")
        (project.local / "n").write_text("1\n")
        lines = [running.stdout.readline().strip() for _ in range(5)]
        running.send_signal(signal.SIGTERM)
        assert running.wait(TIMEOUT) == 128 + signal.SIGTERM
    assert lines == [b"0", b"0", b"run", b"1", b"300"]


def test_a_change_while_the_command_runs_is_not_missed(project: Project) -> None:
    (project.local / "a").write_text("1\n")
    with project.start("--watch", "-c", "cat a; echo up; sleep 0.5") as running:
        assert running.stdout
        assert running.stdout.readline() == b"1\n"
        running.expect_up()
        (project.local / "a").write_text("2\n")
        assert running.stdout.readline() == b"2\n"
        running.send_signal(signal.SIGTERM)
        running.wait(TIMEOUT)


def test_which_changes_matter_depends_on_the_current_config(project: Project) -> None:
    (project.local / "a").write_text("1\n")
    config, made = project.local / ".rdo.conf", project.local / "out" / "made"
    with project.start("--watch", "-c", "cat a; mkdir -p out; echo >>out/made") as running:
        assert running.stdout
        assert running.stdout.readline() == b"1\n"
        config.write_text(config.read_text() + 'pull = ["out"]\n')
        assert running.stdout.readline() == b"1\n"
        assert wait_until(made.exists, TIMEOUT)
        assert not wait_until(lambda: made.read_text() != "\n\n", AGAIN_TIMEOUT)
        (project.local / "a").write_text("2\n")
        assert running.stdout.readline() == b"2\n"
        running.send_signal(signal.SIGTERM)
        running.wait(TIMEOUT)


def test_a_second_signal_does_not_disturb_the_end(project: Project) -> None:
    (project.local / "a").write_text("1\n")
    with project.start("--watch", "cat", "a") as running:
        assert running.stdout
        assert running.stdout.readline() == b"1\n"
        deadline = time.monotonic() + TIMEOUT
        while running.poll() is None and time.monotonic() < deadline:
            running.send_signal(signal.SIGTERM)
        assert running.wait(TIMEOUT) == 128 + signal.SIGTERM
        assert running.stderr
        assert running.stderr.read() == b""


def test_without_sync_files_that_the_command_writes_cause_no_run(tmp_path: Path, runtime: dict[str, str]) -> None:
    project = local_project(tmp_path, runtime)
    project.configure('driver = "local"\n')
    with project.start("--watch", "-c", "date >> made; wc -l < made") as running:
        assert running.stdout
        assert running.stdout.readline().strip() == b"1"
        os.set_blocking(running.stdout.fileno(), False)
        shown, deadline = b"", time.monotonic() + TIMEOUT
        while not shown and time.monotonic() < deadline:  # writes before the end of the command are not seen
            (project.local / "a").write_text(f"{time.monotonic()}\n")
            time.sleep(0.5)
            shown = running.stdout.read() or b""
        assert shown.split()[0] == b"2"
        running.send_signal(signal.SIGTERM)
        running.wait(TIMEOUT)
        rest = running.stdout.read() or b""
        assert len(shown.split() + rest.split()) < 4


def test_on_a_terminal_the_screen_is_cleared_between_runs(project: Project) -> None:
    (project.local / "a").write_text("first")
    words = [str(word) for word in project.command("--watch", "-c", "cat a; exit 3")]
    with Terminal(words, project.local, dict(project.environment)) as terminal:
        terminal.expect("first")
        terminal.match(r"rdo: the command ended with status 3 at \d\d:\d\d:\d\d; waiting for a change\r\n")
        (project.local / "a").write_text("second")
        assert "\033[H\033[2J" in terminal.expect("second")
        terminal.expect("waiting for a change")
        terminal.type("\x03")


@pytest.mark.parametrize("changes", [False, True], ids=["unchanged", "changed"])
def test_ctrl_c_on_a_terminal_ends_it_however_the_command_handles_that(project: Project, *, changes: bool) -> None:
    (project.local / "a").write_text("1")
    words = [str(word) for word in project.command("--watch", "-c", "trap 'exit 3' INT; echo up; sleep 100 & wait")]
    line = f"{shlex.join(words)}; echo status $?"
    with Terminal(["bash", "-c", line], project.local, dict(project.environment)) as terminal:
        terminal.expect("up")
        if changes:
            (project.local / "a").write_text("2")
        terminal.type("\x03")
        assert "waiting" not in terminal.expect("status 130")


def test_ctrl_c_that_the_command_survives_does_not_end_it(project: Project) -> None:
    words = [str(word) for word in project.command("--watch", "-c", "trap 'echo no' INT; echo up; read x; read x; :")]
    with Terminal(words, project.local, dict(project.environment)) as terminal:
        terminal.expect("up")
        terminal.type("\x03")
        terminal.expect("no")
        terminal.type("x\n")
        terminal.type("x\n")
        terminal.expect("waiting for a change")


@pytest.mark.parametrize(
    ("words", "rest"), [(["--watch"], b"needs a command"), (["--watch", "-t"], b"needs a command")]
)
def test_without_a_command_watch_is_an_error(project: Project, words: list[str], rest: bytes) -> None:
    done = project.run(*words)
    assert (done.returncode, rest in done.stderr) == (255, True)
