"""Tests that rdo behaves on a terminal as a local command does: size, keys, job control, pipelines."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.project import Project
from tests.e2e.terminal import LINE_START, Terminal
from tests.leaks import wait_until

pytestmark = pytest.mark.both_clients


def ends_with(path: Path, text: str) -> bool:
    return path.exists() and path.read_text().endswith(text)


def test_the_size_is_right_from_the_start_and_after_each_resize(terminal: Terminal) -> None:
    terminal.line("rdo stty size")
    terminal.expect("30 100\r\n")
    terminal.prompt()
    terminal.resize(50, 120)
    terminal.line("rdo stty size")
    terminal.expect("50 120\r\n")
    terminal.prompt()
    terminal.line("rdo sh -c 'trap \"stty size; exit\" WINCH; echo up; while :; do sleep 0.05; done'")
    terminal.expect("up\r\n")
    terminal.resize(20, 77)
    terminal.expect("20 77\r\n")


def test_ctrl_c_runs_the_command_s_trap_and_gives_its_status(terminal: Terminal) -> None:
    terminal.line("rdo sh -c 'trap \"echo caught; exit 7\" INT; echo up; while :; do sleep 0.05; done'; echo st=$?")
    terminal.expect("up\r\n")
    terminal.type("\x03")
    terminal.expect("caught\r\n")
    terminal.expect("st=7\r\n")


def test_ctrl_c_breaks_the_loop_of_an_interactive_shell(terminal: Terminal) -> None:
    terminal.line("for i in 1 2 3; do rdo sh -c 'echo up; exec sleep 20'; done; echo st=$?")
    terminal.expect("up\r\n")
    terminal.type("\x03")
    assert "up" not in terminal.match(r"\$ $").string
    terminal.line("echo st=$?")
    terminal.expect("st=130\r\n")


@pytest.mark.parametrize(
    "streams", ["", "2>&1 | cat", "2>err"], ids=["on a pty", "stdout elsewhere", "stderr elsewhere"]
)
def test_ctrl_c_breaks_the_loop_of_a_script_wherever_the_output_goes(terminal: Terminal, streams: str) -> None:
    """The script also gets SIGINT, and ends if the command it waited for was ended by it."""
    loop = f"for i in 1 2 3; do rdo sh -c 'echo up; exec sleep 20' {streams}; done; echo went on"
    terminal.line(f"bash -c {shlex.quote(loop)}")
    terminal.match(rf"{LINE_START}up\r\n")
    terminal.type("\x03")
    assert "went on" not in terminal.match(r"\$ $").string
    terminal.line("echo st=$?")
    terminal.expect("st=130\r\n")


def test_ctrl_c_ends_the_program_that_runs_a_command_for_each_file(terminal: Terminal) -> None:
    terminal.line("find src src -exec rdo sh -c 'echo up; exec sleep 20' ';'")
    terminal.match(rf"{LINE_START}up\r\n")
    terminal.type("\x03")
    assert "up" not in terminal.match(r"\$ $").string
    terminal.line("echo st=$?")
    terminal.expect("st=130\r\n")


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        ("echo up; read key; kill -INT $$", "\r"),
        ("trap : INT; echo up; read key; exit 130", "\x03x\r"),
    ],
    ids=["no Ctrl-C", "other keys after it"],
)
def test_a_script_continues_if_its_command_was_not_ended_by_ctrl_c(terminal: Terminal, command: str, keys: str) -> None:
    terminal.line(f"bash -c {shlex.quote(f'rdo bash -c {shlex.quote(command)}; echo went on')}")
    terminal.match(rf"{LINE_START}up\r\n")
    terminal.type(keys)
    terminal.expect("went on\r\n")


def test_ctrl_z_stops_and_fg_continues_repeatedly(terminal: Terminal, project: Project) -> None:
    terminal.line("rdo sh -c 'echo up; exec tee out'")
    terminal.match(rf"{LINE_START}up\r\n")
    terminal.line("one")
    terminal.expect("one\r\none\r\n")
    for word in ("two", "three"):
        terminal.type("\x1a")
        terminal.expect("Stopped")
        terminal.prompt()
        terminal.line("echo st=$?")
        terminal.expect("st=148\r\n")
        terminal.prompt()
        terminal.resize(25, 90)
        terminal.line("fg")
        terminal.expect("exec tee out'\r\n")
        terminal.line(word)
        terminal.expect(f"{word}\r\n")
        assert wait_until(partial(ends_with, project.remote / "out", f"{word}\n"), 5)
    terminal.type("\x04")
    terminal.prompt()
    terminal.line("echo st=$?")
    terminal.expect("st=0\r\n")
    assert (project.remote / "out").read_text() == "one\ntwo\nthree\n"


def test_ctrl_z_stops_a_command_in_a_pipeline_and_its_output_is_complete(terminal: Terminal, project: Project) -> None:
    terminal.line("rdo sh -c 'echo up >&2; for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done' | cat > out")
    terminal.expect("up\r\n")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.line("fg; echo over")
    terminal.match(rf"{LINE_START}over\r\n")
    assert (project.local / "out").read_text() == "1\n2\n3\n4\n5\n6\n"


def test_every_key_reaches_a_pager_in_a_pipeline_with_rdo(terminal: Terminal) -> None:
    terminal.line("rdo sh -c 'for i in $(seq 300); do echo line $i; sleep 0.005; done' | less; echo st=$?")
    terminal.expect("line 1\r\n")
    for _ in range(5):
        terminal.type(" ")
    terminal.expect("line 100\r\n")
    terminal.type("q")
    terminal.expect("st=0\r\n")


def test_a_command_in_the_background_runs_to_its_end(terminal: Terminal) -> None:
    terminal.line("rdo sh -c 'sleep 0.3; echo bg' & wait; echo st=$?")
    terminal.match(rf"{LINE_START}bg\r+\n")
    terminal.match("(?m)st=0\r\n")


def test_the_terminals_modes_are_restored(terminal: Terminal) -> None:
    terminal.line("a=$(stty -g); rdo true; rdo -c 'kill -9 $$'; b=$(stty -g); [ $a = $b ] && echo same as be''fore")
    terminal.expect("same as before\r\n")


def test_no_command_gives_a_login_shell_in_the_mapped_directory(terminal: Terminal, project: Project) -> None:
    terminal.line("cd src; rdo")
    terminal.prompt()
    terminal.line("shopt login_shell; pwd; exit 5")
    terminal.match("login_shell +\ton\r\n")
    terminal.expect(f"{project.remote}/src\r\n")
    terminal.prompt()
    terminal.line("echo st=$?")
    terminal.expect("st=5\r\n")


def test_a_missing_directory_is_named_on_a_separate_line(terminal: Terminal, project: Project) -> None:
    terminal.line("mkdir new; cd new; rdo touch made; echo st=$?")
    shown = terminal.expect("st=255\r\n")
    line = shown.partition("\rrdo: cannot enter the directory `")[2]
    assert line.startswith(f"{project.remote}/new` on `")
    assert line.endswith("; otherwise correct `directory`\r\nst=255\r\n")


def test_a_pty_is_for_people_only(terminal: Terminal) -> None:
    terminal.line("rdo tty; rdo tty | cat; rdo tty 2>err; rdo -T tty; rdo -t tty | cat; echo over")
    shown = terminal.match(rf"{LINE_START}over\r\n").string
    assert [("/dev/" in line) for line in shown.splitlines() if "/dev/" in line or "not a tty" in line] == [
        True, False, False, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize(("typed", "shown"), [
    ("rdo 'ls -l'", "rdo: `ls -l` is not the name of a program; for a shell string use: rdo -c 'ls -l'"),
    ("rdo cd src", "rdo: `cd` is a shell builtin, not a program; use: rdo -c 'cd src'"),
])  # fmt: skip
def test_a_command_that_needs_a_shell_gets_a_hint(terminal: Terminal, typed: str, shown: str) -> None:
    terminal.line(typed)
    terminal.expect(shown)


def test_a_large_script_passes_a_pty_completely_and_invisibly(terminal: Terminal) -> None:
    terminal.line("rdo sh -c 'echo ${#1}' sh $(head -c 60000 /dev/zero | tr '\\0' x)")
    shown = terminal.expect("60000\r\n")
    assert "xxxx" not in shown.partition("tr ")[2]
