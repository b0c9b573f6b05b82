"""Tests for URLs that a command opens on the target: they are opened here, with their ports, and a line reports it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.e2e.browsing import URL, YES, Opening, listens, opening
from tests.e2e.project import TIMEOUT, Project, ssh_config_text
from tests.leaks import wait_until
from tests.ssh_server import free_port

pytestmark = pytest.mark.usefixtures("lent")


@pytest.fixture
def tells(project: Project, tmp_path: Path) -> Opening:
    return opening(project, tmp_path, YES)


@pytest.mark.both_clients
@pytest.mark.parametrize("how", ["xdg-open", "open", "sensible-browser", "www-browser", '"$BROWSER"'])
def test_a_line_reports_what_is_opened_here(tells: Opening, how: str) -> None:
    result = tells.project.run("-c", f'{how} "$1"; echo $?', "sh", URL)
    assert (result.stdout, result.stderr) == (b"0\n", f"rdo: opening {URL} here\n".encode())
    assert wait_until(lambda: tells.opened == [URL], TIMEOUT)


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
    assert wait_until(lambda: not directory.exists(), TIMEOUT)


def test_a_browser_that_the_config_sets_there_is_kept(tells: Opening) -> None:
    tells.project.configure(ssh_config_text(tells.project, YES + 'env = { BROWSER = "w3m" }\npath = ["bin"]\n'))
    result = tells.project.run("-c", 'echo "$BROWSER ${PATH%%:*}"')
    word, path = result.stdout.split()
    assert (word, path.startswith(b"/tmp/rdo-")) == (b"w3m", True)


def test_a_url_that_is_opened_twice_at_once_is_silently_opened_once(tells: Opening) -> None:
    result = tells.project.run("-c", 'xdg-open "$1" && xdg-open "$1"; echo $?; sleep 1.5', "sh", URL)
    assert (result.stdout, result.stderr) == (b"0\n", f"rdo: opening {URL} here\n".encode())
    assert wait_until(lambda: tells.opened == [URL], TIMEOUT)


@pytest.mark.both_clients
@pytest.mark.parametrize(
    "form", ["http://localhost:{port}/", "https://a.example/?redirect_uri=http%3A%2F%2F127.0.0.1%3A{port}%2Fcb"]
)
def test_a_port_in_a_url_is_forwarded_while_the_command_runs(tells: Opening, form: str) -> None:
    port = free_port()
    url = form.format(port=port)
    with tells.project.start("sh", "-c", f"xdg-open '{url}'; echo up; cat") as command:
        command.expect_up()
        assert listens(port)
        assert wait_until(lambda: tells.opened == [url], TIMEOUT)
        _, said = command.communicate()
        assert said == f"rdo: opening {url} here\n".encode()
    assert wait_until(lambda: not listens(port), TIMEOUT)


def test_a_url_whose_port_is_in_use_here_is_not_opened(tells: Opening) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = tells.project.run("xdg-open", f"http://localhost:{port}/x")
    assert result.returncode == 4
    why = f"it leads to port {port} of the target, and the port is in use here; free the port, or choose another"
    assert result.stderr.decode() == f"rdo: cannot open `http://localhost:{port}/x` here: {why}\n"
    assert tells.opened == []


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
    assert wait_until(status.exists, TIMEOUT)
    assert status.read_text() == "4\n"
    assert tells.opened == []
