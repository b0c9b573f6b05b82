"""Tests for programs that are started with the caller's environment and directory, with real ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdo.util.caller_program import run_for_caller
from rdo.util.process import is_running, process_name
from tests.leaks import wait_until

SH = ["/bin/sh", "-c"]


def test_a_program_has_the_caller_s_directory_and_environment_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "ours")
    environment = {"PWD": str(tmp_path), "THEIRS": "theirs"}
    done = run_for_caller([*SH, 'pwd; echo "$OURS" "$THEIRS"'], environment, 10)
    assert done.stdout.decode() == f"{tmp_path}\n theirs\n"


@pytest.mark.parametrize("pwd", ["/no/such/directory", "relative", ""])
def test_it_runs_in_the_root_if_the_callers_directory_is_unknown(pwd: str) -> None:
    assert run_for_caller([*SH, "pwd"], {"PWD": pwd}, 10).stdout == b"/\n"


def test_it_reads_the_given_input_or_nothing() -> None:
    assert run_for_caller([*SH, "cat"], {}, 10, given=b"text").stdout == b"text"
    assert run_for_caller([*SH, "cat"], {}, 10).stdout == b""


def test_it_is_killed_after_a_timeout() -> None:
    with pytest.raises(TimeoutError, match="waited 0 s"):
        run_for_caller([*SH, "exec sleep 1000"], {"PATH": "/usr/bin:/bin"}, 0.05)


def test_its_children_are_killed_with_it(tmp_path: Path) -> None:
    started = tmp_path / "started"
    with pytest.raises(TimeoutError):
        run_for_caller([*SH, f"sleep 1000 & echo $! >{started}; wait"], {"PATH": "/usr/bin:/bin"}, 0.5)
    assert wait_until(lambda: not is_running(process_name(int(started.read_text()))), 10)


def test_processes_that_it_leaves_behind_go_on(tmp_path: Path) -> None:
    left = tmp_path / "left"
    run_for_caller([*SH, f"(sleep 0.3; echo x >{left}) >/dev/null 2>&1 &"], {"PATH": "/usr/bin:/bin"}, 10)
    assert wait_until(left.exists, 10)


def test_it_is_searched_for_in_the_callers_path(tmp_path: Path) -> None:
    program = tmp_path / "greet"
    program.write_text("#!/bin/sh\necho hello; exit 3\n")
    program.chmod(0o755)
    done = run_for_caller(["greet"], {"PATH": str(tmp_path)}, 10)
    assert (done.returncode, done.stdout) == (3, b"hello\n")
    with pytest.raises(FileNotFoundError):
        run_for_caller(["greet"], {"PATH": "/nowhere"}, 10)
