"""Tests for progress on the terminal after more than a second, which leaves no trace."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from benchmarks.proxy import proxy
from tests.conftest import require
from tests.e2e.project import Project, ssh_config_text
from tests.e2e.screen import Screen
from tests.leaks import wait_until
from tests.sshd import Sshd

DELAY = 0.25
"""Seconds in each direction. A login takes some seven round trips."""


@pytest.fixture(autouse=True)
def _tmux() -> None:
    if shutil.which("tmux") is None:
        require("tmux", "it is not installed")


def at_port(project: Project, server: Sshd, port: int) -> Project:
    """The same project, whose server is reached at another port."""
    config = Path(server.ssh_config(extra=[f"Port {port}", "HostKeyAlias devbox"], name=f"ssh_config_{port}"))
    key = server.host_keys[0].with_suffix(".pub").read_text()
    with server.known_hosts.open("a") as file:
        file.write(f"devbox {key}")
    return Project(project.local, project.remote, {**project.environment, "RDO_SSH_CONFIG": str(config)})


@pytest.fixture
def slow(project: Project, sshd: Sshd) -> Iterator[Project]:
    """A project with a slow line to its server."""
    with proxy(sshd.port, DELAY) as port:
        yield at_port(project, sshd, port)


@pytest.fixture
def silent(project: Project, sshd: Sshd) -> Iterator[Project]:
    """A project whose server accepts connections, and sends nothing as long as the test lasts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield at_port(project, sshd, listener.getsockname()[1])


def patience(project: Project) -> None:
    """Shorten the timeouts for a silent server, but leave enough time for progress to appear."""
    project.configure(ssh_config_text(project, 'connect_timeout = "2s"\n'))


def steps(shown: str) -> list[str]:
    """The progress in what is shown."""
    return re.findall(r"rdo: (\w+) .* \(\d+ s\)", shown)


def test_a_slow_first_connection_shows_its_steps_and_removes_them(slow: Project) -> None:
    with Screen(slow.local, slow.environment) as screen:
        screen.type("printf abc; rdo echo done", "Enter")
        begun = screen.expect("abcrdo: connecting to `")
        assert wait_until(lambda: screen.cursor == (3, 1), 5)
        later = screen.wait_for(lambda shown: steps(shown) and steps(shown) != ["connecting"])
        assert steps(begun) == ["connecting"] != steps(later)
        assert len(begun.splitlines()) == len(later.splitlines()) == 2
        assert screen.wait_for(lambda shown: shown.endswith("\n$")) == "$ printf abc; rdo echo done\nabcdone\n$"
        screen.type("rdo true; rdo false || echo over", "Enter")
        assert not steps(screen.expect("\nover\n"))


def has_waited(seconds: int, shown: str) -> bool:
    """Whether the progress shows this many seconds or more, because each second may pass between two checks."""
    return any(int(each) >= seconds for each in re.findall(r"\((\d+) s\)", shown))


def test_the_seconds_are_counted_while_nothing_happens(silent: Project) -> None:
    with Screen(silent.local, silent.environment) as screen:
        screen.type("rdo true", "Enter")
        for seconds in (1, 2, 3):
            screen.wait_for(partial(has_waited, seconds))


@pytest.mark.parametrize(("key", "said"), [("C-c", ""), ("C-\\", "Quit\nst=131")])
def test_it_is_gone_when_a_key_ends_the_wait(silent: Project, key: str, said: str) -> None:
    with Screen(silent.local, silent.environment) as screen:
        screen.type("stty -echoctl; rdo true; echo st=$?", "Enter")
        screen.wait_for(steps)
        screen.type(key)
        shown = screen.wait_for(lambda shown: shown.endswith("\n$")).replace(" (core dumped)", "")
        assert shown == f"$ stty -echoctl; rdo true; echo st=$?\n{said}\n$"


def test_it_is_gone_when_a_signal_ends_the_wait_or_stops_it(silent: Project) -> None:
    with Screen(silent.local, silent.environment) as screen:
        screen.type("stty -echoctl; rdo true & sleep 0.2; fg", "Enter")
        screen.expect("connecting")
        screen.type("C-z")
        assert not steps(screen.expect("Stopped"))
        screen.type("fg", "Enter")
        screen.wait_for(steps)
        screen.type("C-z")
        screen.wait_for(lambda shown: shown.count("Stopped") == 2)
        screen.type("kill %1; fg", "Enter")
        assert not steps(screen.expect("Terminated"))


def test_what_is_typed_meanwhile_is_kept(slow: Project) -> None:
    with Screen(slow.local, slow.environment) as screen:
        screen.type("rdo echo done", "Enter")
        screen.expect("connecting")
        screen.type("echo typed ahead")
        screen.expect("\necho typed aheadrdo: ")
        screen.wait_for(lambda shown: "done" in shown and not steps(shown))


def test_a_question_and_a_notice_are_alone_on_their_lines(slow: Project, sshd: Sshd, tmp_path: Path) -> None:
    config = Path(slow.environment["RDO_SSH_CONFIG"])
    config.write_text(config.read_text().replace(str(sshd.known_hosts), str(tmp_path / "known_hosts")))
    with Screen(slow.local, slow.environment) as screen:
        screen.type("rdo echo done", "Enter")
        screen.expect("connecting")
        asked = screen.wait_for(lambda shown: "?" in shown)
        assert not steps(asked)
        screen.type("yes", "Enter")
        screen.wait_for(steps)
        shown = screen.expect("\ndone\n$")
        assert not steps(shown)
        assert "\nrdo: permanently added " in shown


def test_a_failure_replaces_the_progress(silent: Project) -> None:
    patience(silent)
    with Screen(silent.local, silent.environment) as screen:
        screen.type("rdo true", "Enter")
        screen.wait_for(steps)
        shown = screen.wait_for(lambda shown: shown.endswith("\n$"))
        assert not steps(shown)
        assert shown.splitlines()[1].startswith("rdo: cannot reach `127.0.0.1` port ")


def test_without_a_capable_terminal_there_is_no_progress(silent: Project) -> None:
    patience(silent)
    with Screen(silent.local, silent.environment) as screen:
        screen.type("TERM=dumb rdo true; rdo true 2>err; echo over", "Enter")
        seen: list[str] = []
        screen.wait_for(lambda shown: seen.append(shown) or "\nover\n" in shown)
        assert not any(map(steps, seen))
        assert (silent.local / "err").read_text().count("\n") == 1


def test_details_come_in_lines_instead(silent: Project) -> None:
    patience(silent)
    with Screen(silent.local, silent.environment) as screen:
        screen.type("rdo -v true", "Enter")
        seen: list[str] = []
        screen.wait_for(lambda shown: seen.append(shown) or "cannot reach" in shown)
        assert not any(map(steps, seen))
