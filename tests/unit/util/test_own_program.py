"""Tests for programs that this process starts for itself and reads to the end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rdo.util import own_program
from rdo.util.own_program import Finished
from tests.leaks import wait_until
from tests.processes import is_there

TIMEOUT = 20.0
"""Seconds for anything that should happen at once."""

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "WHO": "me"}


def run(script: str, timeout: float = TIMEOUT) -> Finished:
    return own_program.start(["sh", "-c", script], ENVIRONMENT)(timeout)


def test_what_it_prints_and_its_status_are_known() -> None:
    assert run('echo "$WHO"; echo err >&2; exit 3') == (3, b"me\n", b"err\n")
    assert run("kill -9 $$").returncode == -9


def test_it_gets_no_input_and_runs_where_this_process_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("cat; pwd").stdout == f"{tmp_path}\n".encode()


def test_large_output_on_both_streams_is_read_to_its_end() -> None:
    done = run("yes | head -c 300000 >&2; yes | head -c 300000")
    assert (len(done.stdout), len(done.stderr)) == (300000, 300000)


def test_a_program_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    finish = own_program.start(["sh", "-c", f"sleep 1000 & echo $! >'{begun}'; wait"], ENVIRONMENT)
    assert wait_until(lambda: begun.exists() and begun.read_text(), TIMEOUT)
    with pytest.raises(TimeoutError):
        finish(0.05)
    assert wait_until(lambda: not is_there(int(begun.read_text())), TIMEOUT)


def test_it_is_searched_for_in_the_path_of_the_environment(tmp_path: Path) -> None:
    (tmp_path / "greet").write_text("not a program")
    (tmp_path / "bin" / "sh").mkdir(parents=True)
    environment = {"PATH": f"{tmp_path}:{tmp_path}/bin:/bin"}
    assert own_program.start(["sh", "-c", "echo x"], environment)(TIMEOUT).stdout == b"x\n"
    with pytest.raises(FileNotFoundError):
        own_program.start(["greet"], environment)


def test_nothing_is_left_open_if_a_program_cannot_be_started(tmp_path: Path) -> None:
    (tmp_path / "odd").write_text("#!/no/such/interpreter\n")
    (tmp_path / "odd").chmod(0o755)
    before = os.listdir("/dev/fd")
    with pytest.raises(OSError, match="No such file"):
        own_program.start(["odd"], {"PATH": str(tmp_path)})
    assert os.listdir("/dev/fd") == before
