"""Tests for the exit status: the command's own, or 255 and a line for a failure of rdo."""

from __future__ import annotations

import subprocess

import pytest

from tests.e2e.masters import stop
from tests.e2e.project import Project
from tests.soak import FULL, Counted, tries

pytestmark = pytest.mark.both_clients

SCRIPTS = pytest.mark.parametrize("script", ["exit {}", "exec >&- 2>&-; exit {}"], ids=["plain", "closed"])
"""Commands that end with a status; the second one has closed its stdout and stderr before."""


def statuses(count: int) -> list[int]:
    """About this many of the 256 statuses, including all special ones."""
    return sorted({*range(0, 256, 256 // count), 1, 2, 125, 126, 127, 128, 130, 137, 254, 255})


@pytest.mark.soak
@SCRIPTS
def test_every_exit_status_is_returned_over_a_held_connection(anywhere: Project, counted: Counted, script: str) -> None:
    for status in counted("exit statuses compared, warm", statuses(tries(8, 256))):
        assert anywhere.run("sh", "-c", script.format(status)).returncode == status


@pytest.mark.soak
@SCRIPTS
def test_every_exit_status_of_a_first_command_is_returned(own_anywhere: Project, counted: Counted, script: str) -> None:
    wanted = statuses(64 if own_anywhere.takes_long else 256) if FULL else (0, 1, 127, 255)
    for status in counted("exit statuses compared, cold", wanted):
        assert own_anywhere.run("sh", "-c", script.format(status)).returncode == status
        stop(own_anywhere)


def test_a_command_that_closes_its_output_returns_its_status_at_its_end(anywhere: Project) -> None:
    for status in (0, 3, 255):
        assert anywhere.run("sh", "-c", f"exec >&- 2>&-; sleep 0.5; exit {status}").returncode == status


@pytest.mark.parametrize(("signal", "status"), [("KILL", 137), ("TERM", 143), ("INT", 130), ("SEGV", 139)])
def test_a_death_by_signal_is_128_and_the_signal(anywhere: Project, signal: str, status: int) -> None:
    assert anywhere.run("sh", "-c", f"kill -{signal} $$").returncode == status


def test_a_missing_command_is_127_and_named(anywhere: Project) -> None:
    result = anywhere.run("no-such-command")
    assert result.returncode == 127
    assert b"no-such-command" in result.stderr


def test_a_file_that_cannot_be_executed_is_126_and_named(anywhere: Project) -> None:
    (anywhere.remote / "data").write_text("x")
    result = anywhere.run("./data")
    assert result.returncode == 126
    assert b"/data: Permission denied" in result.stderr


def test_a_missing_directory_on_the_target_is_255_and_named(anywhere: Project) -> None:
    (anywhere.local / "new").mkdir()
    result = anywhere.run("touch", "made", cwd="new")
    assert (result.returncode, result.stdout) == (255, b"")
    line, end = result.stderr.decode().split("` on `")
    assert line == f"rdo: cannot enter the directory `{anywhere.remote}/new"
    assert end.endswith('fills it, or `sync = "push"` does both; otherwise correct `directory`\n')
    assert end.count("\n") == 1
    assert not list(anywhere.remote.rglob("made"))
    command = end.split("`")[2]
    assert anywhere.shell(command).returncode == 0
    assert anywhere.run("touch", "made", cwd="new").returncode == 0


def test_without_a_terminal_on_stderr_there_is_no_hint_about_shell_strings(project: Project) -> None:
    assert b"rdo:" not in project.run("ls -l").stderr


@pytest.mark.soak
def test_a_megabyte_of_output_is_complete_if_the_command_fails_right_after_it(
    anywhere: Project, counted: Counted
) -> None:
    for _ in counted("outputs of 1 MB before `exit 3`", range(tries(10, 1000))):
        result = anywhere.run("sh", "-c", "head -c 1000000 /dev/zero; exit 3")
        assert (len(result.stdout), result.returncode) == (1_000_000, 3)


def test_a_lost_connection_is_255_with_a_line_and_the_command_is_not_run_again(own: Project) -> None:
    # The session's own sshd process is the parent of the command's process group leader.
    script = "echo x >> runs; kill -9 $(ps -o ppid= -p $$); sleep 30"
    result = own.run("sh", "-c", script)
    assert result.returncode == 255
    assert result.stderr.startswith(b"rdo: the connection to `devbox` was lost: ")
    assert (own.remote / "runs").read_text() == "x\n"
    assert own.run("true").returncode == 0


@pytest.mark.parametrize(("words", "line"), [
    (["--no-such"], "rdo: unknown option `--no-such`; see `rdo --help`\n"),
    (["-p", "nope", "true"], "no profile `nope`"),
    (["-C", "/nope", "true"], "rdo: cannot change to `/nope`: no such file or directory\n"),
])  # fmt: skip
def test_a_failure_of_rdo_is_255_with_one_line(project: Project, words: list[str], line: str) -> None:
    result = project.run(*words)
    assert result.returncode == 255
    assert line in result.stderr.decode()
    assert result.stderr.count(b"\n") == 1


@pytest.mark.parametrize("variable", ["RDO_PROFILE", "RDO_ENV"])
def test_a_variable_with_an_unknown_profile_is_named(project: Project, variable: str) -> None:
    for command in ("rdo true", "rdoctl explain", "rdoctl doctor", "rdoctl allow"):
        said = project.shell(f"{variable}=nope {command} 2>&1").stdout.decode()
        assert f": no profile `nope`; {variable} names it; the only profile is `default`\n" in said, command
    result = project.shell(f"{variable}=nope rdo -p other true")
    assert b": no profile `other`; " in result.stderr


def test_help_and_version_are_on_stdout_and_succeed(project: Project) -> None:
    usage = project.run("--help")
    assert usage.returncode == 0
    assert usage.stdout.startswith(b"rdo: run a command ")
    assert len(usage.stdout.splitlines()) <= 45
    assert max(map(len, usage.stdout.splitlines())) <= 80
    assert project.run("--version").stdout.startswith(b"rdo 0.")


def test_a_caller_without_standard_descriptors_gets_the_status(project: Project) -> None:
    line = "rdo sh -c 'echo out; echo err >&2; cat; exit 9' <&- >&- 2>&-; echo $?"
    assert project.shell(line).stdout == b"9\n"


def test_the_caller_s_descriptors_keep_their_flags(project: Project) -> None:
    line = """
    flags() { for fd in 0 1 2; do grep flags /proc/$$/fdinfo/$fd; done; }
    before=$(flags); rdo true; after=$(flags); [ "$before" = "$after" ] && echo same
    """
    process = subprocess.run(
        ["bash", "-c", line], cwd=project.local, env=dict(project.environment), stdout=subprocess.PIPE, check=False
    )
    assert process.stdout == b"same\n"
