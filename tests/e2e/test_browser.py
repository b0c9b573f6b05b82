"""What a command opens on the target opens here: asked or told, and with the ports that it leads to."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.e2e.project import PATIENCE, Project, ssh_config_text
from tests.e2e.terminal import Terminal
from tests.leaks import wait_until
from tests.ssh_server import free_port

pytestmark = pytest.mark.usefixtures("lent")

URL = "https://example.com/a?b=c&d='e'$(f)#g"

ASK, YES = 'open_browser = "ask"\n', 'open_browser = "yes"\n'


@dataclass(frozen=True)
class Opening:
    """A project whose caller has a browser that writes down what it is to open."""

    project: Project
    record: Path

    @property
    def opened(self) -> list[str]:
        return self.record.read_text().splitlines() if self.record.exists() else []

    def terminal(self, command: str) -> Terminal:
        return Terminal(["bash", "-c", command], self.project.local, self.project.environment)


def opening(project: Project, directory: Path, config: str | None = None) -> Opening:
    browser, record = directory / "browser", directory / "opened"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >>{shlex.quote(str(record))}\n')
    browser.chmod(0o755)
    if config is not None:
        project.configure(ssh_config_text(project, config))
    return Opening(replace(project, environment={**project.environment, "BROWSER": str(browser)}), record)


@pytest.fixture
def asks(project: Project, tmp_path: Path) -> Opening:
    return opening(project, tmp_path, ASK)


@pytest.fixture
def tells(project: Project, tmp_path: Path) -> Opening:
    return opening(project, tmp_path, YES)


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def press(terminal: Terminal, key: str, until: str) -> None:
    """Press a key until that shows: at first it is still for the command."""

    def shows() -> bool:
        terminal.type(key)
        terminal._read(0.2)
        return until in terminal.seen

    assert wait_until(shows, PATIENCE), terminal.seen
    terminal.expect(until)


@pytest.mark.both_clients
@pytest.mark.parametrize("how", ["xdg-open", "open", "sensible-browser", "www-browser", '"$BROWSER"'])
def test_a_line_tells_of_what_is_opened_here(tells: Opening, how: str) -> None:
    result = tells.project.run("-c", f'{how} "$1"; echo $?', "sh", URL)
    assert (result.stdout, result.stderr) == (b"0\n", f"rdo: opening {URL} here\n".encode())
    assert wait_until(lambda: tells.opened == [URL], PATIENCE)


def test_without_a_browser_here_nothing_is_asked_and_the_program_there_fails(asks: Opening, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("sh", "ssh", "dirname", "readlink"):
        (programs / name).symlink_to(str(shutil.which(name)))
    environment = {"BROWSER": "/missing", "PATH": str(programs)}
    result = asks.project.run("-c", f"xdg-open {shlex.quote(URL)}; echo $?", env=environment)
    said = f"rdo: cannot open `{URL}` here: no browser was found; set BROWSER to the command that starts one\n"
    assert (result.stdout, result.stderr) == (b"4\n", said.encode())


def test_without_the_key_commands_get_nothing(project: Project) -> None:
    result = project.run("-c", 'echo "${BROWSER-}${RDO_BROWSER-}"; case $PATH in */rdo-*/bin:*) echo $PATH;; esac')
    assert (result.stdout, result.stderr) == (b"\n", b"")


def test_later_commands_of_a_connection_use_the_same_programs(tells: Opening) -> None:
    first, second = (tells.project.run("-c", "echo $BROWSER; echo $RDO_BROWSER").stdout.split() for _ in range(2))
    assert first[0] == second[0]
    assert first[1] != second[1]
    directory = Path(os.fsdecode(first[0])).parent.parent
    assert directory.stat().st_mode & 0o777 == 0o700
    assert tells.project.shell("rdoctl stop").returncode == 0
    assert wait_until(lambda: not directory.exists(), PATIENCE)


def test_a_browser_that_the_config_names_there_stays(tells: Opening) -> None:
    tells.project.configure(ssh_config_text(tells.project, YES + 'env = { BROWSER = "w3m" }\npath = ["bin"]\n'))
    result = tells.project.run("-c", 'echo "$BROWSER ${PATH%%:*}"')
    word, path = result.stdout.split()
    assert (word, path.startswith(b"/tmp/rdo-")) == (b"w3m", True)


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
        assert wait_until(lambda: asks.opened == [URL], PATIENCE)
    else:
        assert asks.opened == []


def test_a_no_is_final_however_the_command_goes_on_to_try(asks: Opening) -> None:
    script = 'python3 -m webbrowser "$1"; sleep 1.5; xdg-open "$1"; echo status=$?'
    with asks.terminal(shlex.join(["rdo", "sh", "-c", script, "sh", URL])) as terminal:
        terminal.expect(f"rdo: open {URL} here? [y/N] ")
        press(terminal, "n", "rdo: not opened\r\n")
        assert "rdo: " not in terminal.expect("status=4")
    assert asks.opened == []


def test_what_is_opened_twice_at_once_opens_once_without_a_word(tells: Opening) -> None:
    result = tells.project.run("-c", 'xdg-open "$1" && xdg-open "$1"; echo $?; sleep 1.5', "sh", URL)
    assert (result.stdout, result.stderr) == (b"0\n", f"rdo: opening {URL} here\n".encode())
    assert wait_until(lambda: tells.opened == [URL], PATIENCE)


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
        assert wait_until(lambda: asks.opened == ["http://a.example/"], PATIENCE)
        terminal.type("more\n")
        terminal.match("got [my]")


def test_keys_that_are_no_answer_are_for_the_command(asks: Opening) -> None:
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
    with asks.terminal("rdo sh -c 'xdg-open http://a.example/; sleep 100'; echo status=$?") as terminal:
        terminal.expect("here? [y/N] ")
        press(terminal, "\x03", "status=130")
    assert asks.opened == []


@pytest.mark.parametrize("words", [(), ("-T",)])
def test_without_a_terminal_nothing_is_opened_and_a_line_says_what_to_set(asks: Opening, words: tuple[str]) -> None:
    result = asks.project.run(*words, "-c", 'xdg-open "$1"; echo $?', "sh", URL, input=b"y\ny\n")
    assert result.stdout == b"4\n"
    hint = 'there is no terminal to ask on; set `open_browser = "yes"` to open all'
    assert result.stderr.decode() == f"rdo: did not open `{URL}` here: {hint}\n"
    assert asks.opened == []


def test_the_end_of_input_is_no_answer(asks: Opening) -> None:
    with asks.terminal("rdo sh -c 'xdg-open http://a.example/; echo status=$?' | cat") as terminal:
        terminal.expect("here? [y/N] ")
        terminal.type("\x04")
        terminal.expect("rdo: not opened")
        terminal.expect("status=4")


@pytest.mark.both_clients
@pytest.mark.parametrize(
    "form", ["http://localhost:{port}/", "https://a.example/?redirect_uri=http%3A%2F%2F127.0.0.1%3A{port}%2Fcb"]
)
def test_a_port_that_a_url_leads_to_is_here_while_the_command_runs(tells: Opening, form: str) -> None:
    port = free_port()
    url = form.format(port=port)
    with tells.project.start("sh", "-c", f"xdg-open '{url}'; echo up; cat") as command:
        command.expect_up()
        assert listens(port)
        assert wait_until(lambda: tells.opened == [url], PATIENCE)
        _, said = command.communicate()
        assert said == f"rdo: opening {url} here\n".encode()
    assert wait_until(lambda: not listens(port), PATIENCE)


def test_a_url_whose_port_is_in_use_here_is_not_opened(tells: Opening) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = tells.project.run("xdg-open", f"http://localhost:{port}/x")
    assert result.returncode == 4
    why = f"it leads to port {port} of the target, and the port is in use here; free the port, or choose another"
    assert result.stderr.decode() == f"rdo: cannot open `http://localhost:{port}/x` here: {why}\n"
    assert tells.opened == []


def test_a_yes_to_a_url_whose_port_is_in_use_here_brings_the_reason_alone(asks: Opening) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        script = f"xdg-open http://localhost:{taken.getsockname()[1]}/; echo status=$?; cat"
        with asks.terminal(shlex.join(["rdo", "sh", "-c", script])) as terminal:

            def is_answered() -> bool:
                terminal.type("y")
                terminal._read(0.2)
                return "status=4" in terminal.seen

            terminal.expect("here? [y/N] ")
            assert wait_until(is_answered, PATIENCE)
            assert "rdo: cannot open `http://localhost:" in terminal.seen
            assert "opening it" not in terminal.seen
            terminal.type("\r\x04")


@pytest.mark.parametrize("words", [("-L", "{port}"), ()])
def test_a_port_that_is_forwarded_already_is_used(tells: Opening, words: tuple[str, ...]) -> None:
    port = free_port()
    if not words:
        tells.project.configure(ssh_config_text(tells.project, YES + f'forward = ["{port}"]\n'))
    given = [word.format(port=port) for word in words]
    result = tells.project.run(*given, "xdg-open", f"http://127.0.0.1:{port}/")
    assert (result.returncode, result.stderr) == (0, f"rdo: opening http://127.0.0.1:{port}/ here\n".encode())


def test_a_command_that_has_ended_opens_nothing(tells: Opening, tmp_path: Path) -> None:
    gate, status = tmp_path / "gate", tmp_path / "status"
    os.mkfifo(gate)
    script = f"(read -r line <{gate}; xdg-open http://a.example/; echo $? >{status}.new; mv {status}.new {status}) "
    assert tells.project.run("-c", script + ">/dev/null 2>&1 </dev/null &").returncode == 0
    gate.write_text("go\n")
    assert wait_until(status.exists, PATIENCE)
    assert status.read_text() == "4\n"
    assert tells.opened == []
