"""Tests that a hanging part of one target delays nobody else: a program of the user's, a server, an agent, or a person
who is asked.

Meanwhile, commands to another target, connected already or not, run normally.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from rdo.drivers.silence import KEEPALIVE_TIMEOUTS
from tests.docker_engine import DockerEngine
from tests.e2e.masters import report
from tests.e2e.project import TIMEOUT, Project, make_project, ssh_config_text, ssh_project
from tests.e2e.terminal import Terminal
from tests.keys import make_key
from tests.leaks import wait_until
from tests.ssh_server import free_port
from tests.sshd import Sshd
from tests.vagrant_fake import FakeVagrant

PROGRAM = "#!/bin/sh\ntouch '{seen}'\nwhile [ -e '{held}' ]; do sleep 0.1; done\n"


class Hang(NamedTuple):
    """A directory for the hanging part: `program` hangs as long as `held` exists, and creates `seen`."""

    directory: Path
    program: Path
    held: Path
    seen: Path

    @property
    def has_begun(self) -> bool:
        return self.seen.exists()

    def end(self) -> None:
        self.held.unlink(missing_ok=True)


@pytest.fixture
def trouble(tmp_path: Path) -> Iterator[Hang]:
    directory = tmp_path / "trouble"
    directory.mkdir()
    found = Hang(directory, *(directory / name for name in ("program", "held", "seen")))
    found.held.touch()
    found.program.write_text(PROGRAM.format(seen=found.seen, held=found.held))
    found.program.chmod(0o755)
    yield found
    found.end()


def other_project(project: Project, name: str, **environment: str) -> Project:
    """Another project on the same host, for a caller with these variables."""
    local = project.local.parent / name
    local.mkdir()
    other = Project(local, project.remote, {**project.environment, **environment})
    other.configure(ssh_config_text(other))
    return other


def by_ssh(project: Project, sshd: Sshd, *lines: str, **environment: str) -> Project:
    """The project of a caller whose ssh configuration begins with these lines."""
    config = sshd.ssh_config(name="troubled")
    config.write_text("\n".join((*lines, config.read_text())))
    return other_project(project, "troubled", RDO_SSH_CONFIG=str(config), **environment)


def hanging_query(project: Project, trouble: Hang, sshd: Sshd) -> Project:
    return by_ssh(project, sshd, f"Match exec {trouble.program}")


def hanging_proxy(project: Project, trouble: Hang, sshd: Sshd) -> Project:
    return by_ssh(project, sshd, f"ProxyCommand {trouble.program}")


def hanging_known_hosts(project: Project, trouble: Hang, sshd: Sshd) -> Project:
    return by_ssh(project, sshd, f"KnownHostsCommand {trouble.program}")


def hanging_local_command(project: Project, trouble: Hang, sshd: Sshd) -> Project:
    return by_ssh(project, sshd, "PermitLocalCommand yes", f"LocalCommand {trouble.program}")


def with_locked_key(project: Project, trouble: Hang, sshd: Sshd, **environment: str) -> Project:
    """The project of a caller whose key has the passphrase `yes`."""
    key = make_key(trouble.directory / "locked", passphrase="yes")
    sshd.authorize(key)
    troubled = by_ssh(project, sshd, **environment)
    config = Path(troubled.environment["RDO_SSH_CONFIG"])
    config.write_text(config.read_text().replace(str(sshd.client_key), str(key)))
    return troubled


def hanging_askpass(project: Project, trouble: Hang, sshd: Sshd) -> Project:
    asked = {"SSH_ASKPASS": str(trouble.program), "SSH_ASKPASS_REQUIRE": "force"}
    return with_locked_key(project, trouble, sshd, **asked)


def hanging_vagrant(project: Project, trouble: Hang, sshd: Sshd) -> Project:
    vagrant = FakeVagrant(trouble.directory, sshd)
    vagrant.create()
    vagrant.answer("ssh-config", f"exec {trouble.program}")
    path = f"{project.environment['PATH'].partition(':')[0]}:{vagrant.environment(project.environment)['PATH']}"
    troubled = Project(vagrant.project, vagrant.project, vagrant.environment(project.environment) | {"PATH": path})
    troubled.configure('driver = "vagrant"\ndirectory = "/"\n')
    return troubled


PROGRAMS: dict[str, Callable[[Project, Hang, Sshd], Project]] = {
    "ssh -G": hanging_query,
    "ProxyCommand": hanging_proxy,
    "KnownHostsCommand": hanging_known_hosts,
    "LocalCommand": hanging_local_command,
    "SSH_ASKPASS": hanging_askpass,
    "vagrant": hanging_vagrant,
}


def assert_others_are_served(project: Project, troubled: Project, has_begun: Callable[[], bool]) -> None:
    """Check that while a command hangs, two to another target finish."""
    with troubled.start("echo", "late") as hangs:
        assert wait_until(has_begun, TIMEOUT), hangs.poll() is None or hangs.communicate()
        for _ in range(2):
            found = project.run("echo", "x")
            assert (found.returncode, found.stdout, found.stderr) == (0, b"x\n", b"")
        assert hangs.poll() is None
        hangs.kill()


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that_hangs(project: Project, trouble: Hang, sshd: Sshd, name: str) -> None:
    assert_others_are_served(project, PROGRAMS[name](project, trouble, sshd), lambda: trouble.has_begun)
    trouble.end()


def test_twenty_commands_that_wait_for_a_program_that_hangs(project: Project, trouble: Hang, sshd: Sshd) -> None:
    troubled = hanging_query(project, trouble, sshd)
    assert project.run("true").returncode == 0
    waiting = [troubled.start("echo", "late") for _ in range(20)]
    assert wait_until(lambda: len(report(project)["running"]) == 20, TIMEOUT)
    assert project.run("echo", "x").stdout == b"x\n"
    trouble.end()
    assert [process.communicate(timeout=TIMEOUT) for process in waiting] == [(b"late\n", b"")] * 20


@contextlib.contextmanager
def silent(family: socket.AddressFamily, address: str | tuple[str, int]) -> Iterator[Callable[[], bool]]:
    """A socket that accepts connections and sends nothing; and whether there was a connection."""
    with socket.socket(family) as listening:
        listening.bind(address)
        listening.listen()
        yield lambda: bool(select.select([listening], [], [], 0)[0])


def test_a_server_that_says_nothing(project: Project, sshd: Sshd) -> None:
    port = free_port()
    troubled = by_ssh(project, sshd)
    config = Path(troubled.environment["RDO_SSH_CONFIG"])
    config.write_text(config.read_text().replace(f"Port {sshd.port}", f"Port {port}"))
    with silent(socket.AF_INET, ("127.0.0.1", port)) as has_begun:
        assert_others_are_served(project, troubled, has_begun)


def test_an_agent_that_says_nothing(project: Project, sshd: Sshd, runtime: dict[str, str]) -> None:
    path = f"{runtime['XDG_RUNTIME_DIR']}/agent"
    troubled = by_ssh(project, sshd, f"IdentityAgent {path}")
    with silent(socket.AF_UNIX, path) as has_begun:
        assert_others_are_served(project, troubled, has_begun)


def test_an_engine_that_says_nothing(project: Project, tmp_path: Path, runtime: dict[str, str]) -> None:
    path = f"{runtime['XDG_RUNTIME_DIR']}/engine"
    troubled = make_project(tmp_path / "troubled", {**runtime, "DOCKER_HOST": f"unix://{path}"})
    troubled.configure('driver = "docker"\ncontainer = "one"\ndirectory = "/"\n')
    with silent(socket.AF_UNIX, path) as has_begun:
        assert_others_are_served(project, troubled, has_begun)


def test_a_credential_helper_that_hangs(
    tmp_path: Path, runtime: dict[str, str], docker_engine: DockerEngine, trouble: Hang
) -> None:
    trouble.program.rename(trouble.directory / "docker-credential-slow")
    (trouble.directory / "config.json").write_text('{"credsStore": "slow"}')
    environment = {
        **runtime,
        "DOCKER_HOST": docker_engine.host,
        "DOCKER_CONFIG": str(trouble.directory),
        "PATH": f"{runtime['PATH']}:{trouble.directory}",
    }
    troubled = make_project(tmp_path / "troubled", environment)
    troubled.configure('driver = "docker"\nimage = "registry.invalid/none"\n')
    with docker_engine.container() as name:
        project = make_project(tmp_path, environment)
        project.configure(f'driver = "docker"\ncontainer = "{name}"\ndirectory = "/"\n')
        assert_others_are_served(project, troubled, lambda: trouble.has_begun)
    trouble.end()


def test_a_machine_that_falls_silent_under_its_commands(
    project: Project, runtime: dict[str, str], own_sshd: Callable[..., Sshd], tmp_path: Path
) -> None:
    hole = own_sshd().start()
    troubled = ssh_project(tmp_path / "troubled", runtime, hole)
    with troubled.start("sh", "-c", "echo up; sleep 60") as running:
        running.expect_up()
        stopped = [hole.pid, *hole.sessions()]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(KEEPALIVE_TIMEOUTS.liveness)
            assert_others_are_served(project, troubled, lambda: len(report(project)["running"]) == 2)
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        running.kill()


@pytest.mark.parametrize("question", ["yes/no", "passphrase"])
def test_a_person_who_is_asked_and_has_not_answered_yet(
    project: Project, trouble: Hang, sshd: Sshd, question: str
) -> None:
    if question == "passphrase":
        troubled = with_locked_key(project, trouble, sshd)
    else:
        lines = ("StrictHostKeyChecking ask", f"UserKnownHostsFile {trouble.directory}/none")
        troubled = by_ssh(project, sshd, *lines)
    command = [os.fsdecode(word) for word in troubled.command("echo", "in")]
    with Terminal(command, troubled.local, dict(troubled.environment)) as terminal:
        terminal.expect(question)
        for _ in range(2):
            assert project.run("echo", "x").stdout == b"x\n"
        terminal.line("yes")
        terminal.expect("in\r\n")
