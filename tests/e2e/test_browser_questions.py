"""Tests for the question whether a URL of a command may be opened, and for what answers it."""

from __future__ import annotations

import shlex
import shutil
import socket
from pathlib import Path

import pytest

from tests.e2e.browsing import ASK, URL, Opening, opening, press
from tests.e2e.project import TIMEOUT, Project
from tests.leaks import wait_until

pytestmark = pytest.mark.usefixtures("lent")


@pytest.fixture
def asks(project: Project, tmp_path: Path) -> Opening:
    return opening(project, tmp_path, ASK)


def test_without_a_browser_here_nothing_is_asked_and_the_remote_program_fails(asks: Opening, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("sh", "ssh", "dirname", "readlink"):
        (programs / name).symlink_to(str(shutil.which(name)))
    environment = {"BROWSER": "/missing", "PATH": str(programs)}
    result = asks.project.run("-c", f"xdg-open {shlex.quote(URL)}; echo $?", env=environment)
    said = f"rdo: cannot open `{URL}` here: no browser was found; set BROWSER to the command that starts one\n"
    assert (result.stdout, result.stderr) == (b"4\n", said.encode())


@pytest.mark.both_clients
@pytest.mark.parametrize(("key", "status"), [("y", 0), ("Y", 0), ("n", 4), ("\r", 4), ("x", 4)])
def test_a_key_answers_the_question_on_a_pty(asks: Opening, key: str, status: int) -> None:
    script = 'xdg-open "$1"; echo status=$?; cat'
    command = shlex.join(["rdo", "sh", "-c", script, "sh", URL])
    with asks.terminal(f"{command}; echo end=$?") as terminal:
        terminal.expect(f"rdo: open {URL} here? [y/N] ")
        press(terminal, key, "rdo: opening it" if status == 0 else "rdo: not opened\r\n")
        terminal.expect(f"status={status}")
        terminal.type("\r\x04")  # after the keys that were too early for an answer
        terminal.expect("end=0")
    if status == 0:
        assert wait_until(lambda: asks.opened == [URL], TIMEOUT)
    else:
        assert asks.opened == []


def test_a_no_is_final_however_often_the_command_tries(asks: Opening) -> None:
    script = 'python3 -m webbrowser "$1"; sleep 1.5; xdg-open "$1"; echo status=$?'
    with asks.terminal(shlex.join(["rdo", "sh", "-c", script, "sh", URL])) as terminal:
        terminal.expect(f"rdo: open {URL} here? [y/N] ")
        press(terminal, "n", "rdo: not opened\r\n")
        assert "rdo: " not in terminal.expect("status=4")
    assert asks.opened == []


def test_the_commands_output_is_held_back_while_a_question_is_open(asks: Opening) -> None:
    script = '(sleep 1; printf "\\033[2J\\033[HContinue? [y/N]") & xdg-open http://a.example/; wait; echo; echo end'
    with asks.terminal(f"rdo sh -c {shlex.quote(script)}") as terminal:
        terminal.expect("rdo: open http://a.example/ here? [y/N] ")
        while terminal._read(2.5):
            pass
        assert "Continue" not in terminal.seen
        press(terminal, "n", "rdo: not opened")
        terminal.expect("Continue? [y/N]")
        terminal.expect("end")


@pytest.mark.parametrize("redirected", ["| cat", ">out; cat out"])
@pytest.mark.both_clients
def test_a_line_answers_the_question_without_a_pty(asks: Opening, redirected: str) -> None:
    script = 'xdg-open http://a.example/ </dev/null; echo status=$?; head -n 1 | sed "s/^/got /"'
    with asks.terminal(f"rdo sh -c {shlex.quote(script)} {redirected}") as terminal:
        terminal.expect("rdo: open http://a.example/ here? [y/N] ")
        press(terminal, "y\n", "rdo: opening it")
        assert wait_until(lambda: asks.opened == ["http://a.example/"], TIMEOUT)
        terminal.type("more\n")
        terminal.match("got [my]")


def test_keys_that_are_not_an_answer_are_for_the_command(asks: Opening) -> None:
    script = "stty -icanon -echo; xdg-open http://a.example/ & head -c 4 | od -An -c; wait; echo end"
    with asks.terminal(f"rdo sh -c {shlex.quote(script)}") as terminal:
        terminal.expect("here? [y/N] ")
        terminal._read(1)
        terminal.type("\x1b[A")
        press(terminal, "z", "rdo: not opened")
        terminal.match(r"033 +\[ +A +z|z +033|033 +\[ +z")
        terminal.expect("end")
    assert asks.opened == []


def test_ctrl_c_is_a_no_and_reaches_the_command(asks: Opening) -> None:
    with asks.terminal("trap : INT; rdo sh -c 'xdg-open http://a.example/; sleep 100'; echo status=$?") as terminal:
        terminal.expect("here? [y/N] ")
        press(terminal, "\x03", "status=130")
    assert asks.opened == []


@pytest.mark.parametrize("words", [(), ("-T",)])
def test_without_a_terminal_nothing_is_opened_and_a_line_names_the_setting(asks: Opening, words: tuple[str]) -> None:
    result = asks.project.run(*words, "-c", 'xdg-open "$1"; echo $?', "sh", URL, input=b"y\ny\n")
    assert result.stdout == b"4\n"
    hint = 'there is no terminal to ask on; set `open_browser = "yes"` to open all'
    assert result.stderr.decode() == f"rdo: did not open `{URL}` here: {hint}\n"
    assert asks.opened == []


def test_the_end_of_input_is_not_an_answer(asks: Opening) -> None:
    with asks.terminal("rdo sh -c 'xdg-open http://a.example/; echo status=$?' | cat") as terminal:
        terminal.expect("here? [y/N] ")
        terminal.type("\x04")
        terminal.expect("rdo: not opened")
        terminal.expect("status=4")


def test_after_a_yes_to_a_url_whose_port_is_in_use_only_the_reason_is_shown(asks: Opening) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        script = f"xdg-open http://localhost:{taken.getsockname()[1]}/; echo status=$?; cat"
        with asks.terminal(shlex.join(["rdo", "sh", "-c", script])) as terminal:

            def is_answered() -> bool:
                terminal.type("y")
                terminal._read(0.2)
                return "status=4" in terminal.seen

            terminal.expect("here? [y/N] ")
            assert wait_until(is_answered, TIMEOUT)
            assert "rdo: cannot open `http://localhost:" in terminal.seen
            assert "opening it" not in terminal.seen
            terminal.type("\r\x04")


def test_several_simultaneous_urls_are_asked_about_one_after_another(asks: Opening) -> None:
    remote = asks.project.remote
    script = (
        "echo ${BROWSER%/bin/*} >top; (xdg-open http://a.example/1; echo first is $?) & "
        "until [ -e go ]; do sleep 0.1; done; xdg-open http://a.example/2; echo second is $?; wait; cat"
    )
    with asks.terminal(f"rdo sh -c {shlex.quote(script)}") as terminal:
        terminal.expect("rdo: open http://a.example/1 here? [y/N] ")
        (remote / "go").touch()
        top = Path((remote / "top").read_text().strip())
        assert wait_until(lambda: len(list(top.glob("answer.*"))) == 2, TIMEOUT)
        press(terminal, "n", "rdo: not opened\r\n")
        terminal.expect("first is 4")
        terminal.expect("rdo: open http://a.example/2 here? [y/N] ")
        press(terminal, "y", "rdo: opening it")
        terminal.expect("second is 0")
        terminal.type("\r\x04")
    assert wait_until(lambda: asks.opened == ["http://a.example/2"], TIMEOUT)


def test_excess_urls_are_counted_instead_of_asked_about(asks: Opening) -> None:
    statuses = asks.project.remote / "statuses"
    script = "for each in 1 2 3 4 5; do (xdg-open http://a.example/$each; echo $? >>statuses) & done; wait"
    with asks.terminal(f"rdo sh -c {shlex.quote(script)}") as terminal:
        terminal.match(r"rdo: open http://a.example/\d here\? \[y/N\] ")
        assert wait_until(lambda: statuses.exists() and statuses.read_text() == "4\n4\n", TIMEOUT)
        press(terminal, "n", "rdo: not opened\r\n")
        terminal.expect("rdo: 2 other URLs were not opened here: no more than 3 wait for your answer")
        terminal.match(r"rdo: open http://a.example/\d here\? \[y/N\] ")
        press(terminal, "\x03", "rdo: not opened\r\n")
    assert asks.opened == []
