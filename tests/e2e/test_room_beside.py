"""Tests for sessions that rdo itself needs on a server that allows few: shells that only wait are closed for them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.browsing import URL, YES, opening
from tests.e2e.listener import here, server
from tests.e2e.project import TIMEOUT, Project, ssh_config_text, ssh_project
from tests.leaks import wait_until
from tests.ssh_server import free_port
from tests.sshd import Sshd

AUTO = "auto_forward = true\n"


@pytest.fixture
def three(tmp_path: Path, runtime: dict[str, str], own_sshd: Callable[..., Sshd]) -> Project:
    """A project on a server with room for three sessions: the lifeline, and two more."""
    return ssh_project(tmp_path, runtime, own_sshd("MaxSessions 3").start())


def fill(project: Project) -> None:
    """Run two commands at a time, after which two shells wait for the next ones."""
    with ExitStack() as ended:
        running = [ended.enter_context(project.start("cat")) for _ in range(2)]
        for each in running:
            each.communicate(timeout=TIMEOUT)


def test_a_port_is_forwarded_although_waiting_shells_use_all_the_room(three: Project) -> None:
    fill(three)
    three.configure(ssh_config_text(three, AUTO))
    for _ in range(2):
        port = free_port()
        with three.start(*server(port)) as command:
            command.expect_up()
            assert here(three, port)
            command.communicate()


def test_a_url_is_opened_although_waiting_shells_use_all_the_room(three: Project, tmp_path: Path) -> None:
    fill(three)
    tells = opening(three, tmp_path, YES)
    result = tells.project.run("xdg-open", URL)
    assert (result.returncode, result.stderr) == (0, f"rdo: opening {URL} here\n".encode())
    assert wait_until(lambda: tells.opened == [URL], TIMEOUT)


def test_ports_are_found_when_the_end_of_a_command_makes_room(three: Project) -> None:
    with three.start("-c", "echo up; cat") as other:
        other.expect_up()
        three.configure(ssh_config_text(three, AUTO))
        with three.start("-v", *server(port := free_port())) as command:
            command.expect_up()
            assert command.stderr
            assert next(line for line in command.stderr if b"further session" in line)
            other.communicate()
            assert here(three, port)
            command.communicate()


def test_urls_are_opened_for_a_later_command_if_there_was_no_room(three: Project, tmp_path: Path) -> None:
    with three.start("-c", "echo up; cat") as other:
        other.expect_up()
        tells = opening(three, tmp_path, YES)
        with tells.project.start("-v", "cat") as command:
            assert command.stderr
            assert next(line for line in command.stderr if b"further session" in line)
            command.communicate()
        other.communicate()
    assert wait_until(lambda: tells.project.run("xdg-open", URL).returncode == 0, TIMEOUT)
