"""A project whose target is reached over a line that can be cut: by ssh, as the current and as an ordinary user, and by
docker.

The processes of all targets are visible from here.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.account import account, why_not
from tests.conftest import require
from tests.docker_engine import DockerEngine
from tests.dropbear import Dropbear
from tests.e2e.masters import masters
from tests.e2e.project import Project, make_project, ssh_config_text
from tests.line import Line
from tests.processes import listed_processes
from tests.ssh_server import SshServer
from tests.sshd import Sshd


@dataclass(frozen=True)
class Reached:
    """A project, and the line to its target. `directory` is the project's directory on the target."""

    project: Project
    line: Line
    directory: str

    def configure(self, more: str) -> None:
        """Add lines to the current config file."""
        file = self.project.local / ".rdo.conf"
        self.project.configure(file.read_text() + more)

    def masters(self) -> list[int]:
        """The process IDs of the project's control masters."""
        return masters(self.project)


def token() -> str:
    """A unique number, as the seconds of a `sleep`, or the last word of a command line."""
    return f"3{random.randrange(10**9):09d}"


def sleepers(*tokens: str) -> dict[int, str]:
    """Running processes with one of the tokens in their command line."""
    listed = {pid: process.command for pid, process in listed_processes().items()}
    mine = {pid: line for pid, line in listed.items() if line.startswith(("sh ", "/bin/sh ", "sleep "))}
    return {pid: line for pid, line in mine.items() if any(each in line for each in tokens)}


def all_sleep(tokens: Sequence[str]) -> bool:
    """Whether a sleeper and its shell are running for each of the tokens."""
    return len(sleepers(*tokens)) >= 2 * len(tokens)


def none_sleeps(tokens: Sequence[str]) -> bool:
    """Whether none of the tokens' sleepers is left."""
    return not sleepers(*tokens)


def over_ssh(
    root: Path, environment: Mapping[str, str], server: SshServer, stack: ExitStack, extra: tuple[str, ...] = ()
) -> Reached:
    """By ssh to this server."""
    line = stack.enter_context(Line(("127.0.0.1", server.port)))
    options = [*extra, f"Port {line.port}", f"HostKeyAlias [127.0.0.1]:{server.port}"]
    config = server.ssh_config(extra=options, name=f"ssh_config_{line.port}")
    project = make_project(root, {**environment, "RDO_SSH_CONFIG": str(config)})
    project.configure(ssh_config_text(project))
    return Reached(project, line, str(project.remote))


def over_ssh_as_user(root: Path, environment: Mapping[str, str], server: Sshd, stack: ExitStack) -> Reached:
    """By ssh as the user who owns the server's home directory."""
    reached = over_ssh(root, environment, server, stack, (f"User {server.home.owner()}",))
    reached.project.configure(f'driver = "ssh"\nhost = "devbox"\ndirectory = "{server.home}"\n')
    return Reached(reached.project, reached.line, str(server.home))


def over_dropbear(root: Path, environment: Mapping[str, str], server: Dropbear, stack: ExitStack) -> Reached:
    """By ssh as the user who can log in to that server."""
    reached = over_ssh(root, environment, server, stack)
    home = server.authorized_keys.parent.parent
    reached.project.configure(f'driver = "ssh"\nhost = "devbox"\ndirectory = "{home}"\n')
    return Reached(reached.project, reached.line, str(home))


class Box(NamedTuple):
    """A container that tests share, in which their directories have the same paths as here, and its engine."""

    engine: DockerEngine
    container: str


def over_docker(root: Path, environment: Mapping[str, str], box: Box, stack: ExitStack) -> Reached:
    """In this container."""
    socket = Path(environment["XDG_RUNTIME_DIR"]) / "engine"
    line = stack.enter_context(Line(box.engine.host.removeprefix("unix://"), socket))
    project = make_project(root, {**environment, "DOCKER_HOST": f"unix://{socket}"})
    project.configure(f'driver = "docker"\ncontainer = "{box.container}"\n')
    return Reached(project, line, str(project.local))


def over_docker_tcp(root: Path, environment: Mapping[str, str], engine: DockerEngine, stack: ExitStack) -> Reached:
    """In a container of this engine, as if it were on another machine."""
    line = stack.enter_context(Line(engine.host.removeprefix("unix://")))
    project = make_project(root, {**environment, "DOCKER_HOST": f"tcp://127.0.0.1:{line.port}"})
    name = stack.enter_context(engine.container(mounts={project.local: "/it"}))
    project.configure(f'driver = "docker"\ncontainer = "{name}"\n')
    return Reached(project, line, "/it")


def over_docker_ssh(root: Path, environment: Mapping[str, str], server: EngineBySsh, stack: ExitStack) -> Reached:
    """In a container of an engine to which the user's `ssh` connects."""
    reached = over_ssh(root, environment, server.sshd, stack)
    engine = server.engine.host.removeprefix("unix://")
    project = Project(
        reached.project.local,
        reached.project.remote,
        {**reached.project.environment, "DOCKER_HOST": f"ssh://devbox{engine}"},
    )
    name = stack.enter_context(server.engine.container(mounts={project.local: "/it"}))
    project.configure(f'driver = "docker"\ncontainer = "{name}"\n')
    return Reached(project, reached.line, "/it")


class EngineBySsh(NamedTuple):
    """An engine, and the ssh server for it."""

    sshd: Sshd
    engine: DockerEngine


class Way(NamedTuple):
    """How a target is reached: the fixture with its server, and a function that makes a project of that."""

    server: str
    reach: Callable[[Path, Mapping[str, str], Any, ExitStack], Reached]


WAYS = {
    "ssh-root": Way("sshd", over_ssh),
    "ssh-user": Way("user_sshd", over_ssh_as_user),
    "ssh-dropbear": Way("dropbear", over_dropbear),
    "docker": Way("docker_box", over_docker),
}


def all_but(left_out: str, why: str) -> pytest.MarkDecorator:
    """For a test of something that one way cannot do: `why`."""
    assert why
    return pytest.mark.parametrize("way", [name for name in WAYS if name != left_out], indirect=True, scope="session")


def shared_user_sshd(mark: Mapping[str, str]) -> Iterator[Sshd]:
    """Implements the fixture: a server that lets an ordinary user log in."""
    if reason := why_not():
        require("ssh", reason)
    with tempfile.TemporaryDirectory(prefix="rdo-user-", dir="/tmp") as name:
        directory = Path(name)
        directory.chmod(0o755)
        server = Sshd(directory)
        server.environment.update(mark)
        with account(server.home), server:
            yield server
