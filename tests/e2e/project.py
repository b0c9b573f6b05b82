"""A project with a `.rdo.conf`, its directory on a target, and the installed `rdo`, run in it."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.docker_engine import DockerEngine
from tests.sshd import Sshd
from tests.vagrant_machine import VagrantHost

TIMEOUT = 60.0
"""Seconds for any command of a test: far more than the slowest takes."""

PARTS = itertools.count(1)

Result = subprocess.CompletedProcess[bytes]


class Started(subprocess.Popen[bytes]):
    """A process that is killed after a failure, so that a test whose command hangs fails instead of hanging, too."""

    def expect_up(self) -> None:
        """Wait for the line by which a command reports that it runs, on a pty or not."""
        assert self.stdout
        line = self.stdout.readline()
        if line not in (b"up\n", b"up\r\n"):
            self.kill()  # before its output is read to the end, which some tests have not done
            pytest.fail(f"{line!r} and {self.communicate()!r} in place of `up`")

    def __exit__(self, *failure: Any) -> None:
        if failure[0] is not None:
            self.kill()
        super().__exit__(*failure)


@dataclass(frozen=True)
class Project:
    """`local` is the directory with the config, `remote` the matching one on the target (the same machine)."""

    local: Path
    remote: Path
    environment: Mapping[str, str]

    @property
    def takes_long(self) -> bool:
        """Whether each command needs an exec of an engine, which takes several times as long as a channel of ssh."""
        return "DOCKER_HOST" in self.environment

    def configure(self, text: str) -> None:
        """Write the config file."""
        (self.local / ".rdo.conf").write_text(text)

    def command(self, *words: str | bytes) -> list[str | bytes]:
        """The command line of the installed rdo."""
        return [os.path.join(self.environment["PATH"].split(os.pathsep)[0], "rdo"), *words]

    def run(self, *words: str | bytes, cwd: str = ".", env: Mapping[str, str] | None = None, **more: Any) -> Result:
        """Run rdo to its end, by default without input."""
        without_input: dict[str, Any] = {} if "input" in more else {"stdin": subprocess.DEVNULL}
        return subprocess.run(
            self.command(*words),
            cwd=self.local / cwd,
            env={**self.environment, **(env or {})},
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
            **{**without_input, **more},
        )

    def start(self, *words: str, cwd: str = ".", **more: Any) -> Started:
        """Start rdo, with pipes for streams that are not named."""
        pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
        return Started(self.command(*words), cwd=self.local / cwd, env=dict(self.environment), **{**pipes, **more})

    def shell(self, line: str, **more: Any) -> Result:
        """Run a line of local shell, with `rdo` in PATH."""
        return subprocess.run(
            ["bash", "-c", line],
            cwd=self.local,
            env=dict(self.environment),
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
            stdin=subprocess.DEVNULL,
            **more,
        )


def make_project(root: Path, environment: Mapping[str, str]) -> Project:
    """Create directories for a project whose names need quoting, with a `src` on both sides."""
    local, remote = root / "my project", root / "the target's"
    for directory in (local, remote):
        (directory / "src").mkdir(parents=True)
    return Project(local, remote, environment)


def part(project: Project) -> Project:
    """A separate directory in the project, on both sides, with a `src`."""
    name = f"part {next(PARTS)}"
    found = Project(project.local / name, project.remote / name, project.environment)
    for directory in (found.local, found.remote):
        (directory / "src").mkdir(parents=True)
    return found


def up(project: Project) -> Project:
    """The project, with its control master running."""
    result = project.run("true")
    assert (result.returncode, result.stderr) == (0, b"")
    return project


def ssh_config_text(project: Project, extra: str = "") -> str:
    """A config for the host `devbox`."""
    return f'driver = "ssh"\nhost = "devbox"\ndirectory = "{project.remote}"\n{extra}'


def ssh_project(root: Path, environment: Mapping[str, str], server: Sshd, extra: str = "") -> Project:
    """A project whose target is the server."""
    project = make_project(root, {**environment, "RDO_SSH_CONFIG": str(server.ssh_config())})
    project.configure(ssh_config_text(project, extra))
    return project


def docker_project(root: Path, environment: Mapping[str, str], engine: DockerEngine, container: str) -> Project:
    """A project whose target is a container in which the remote directory has the same path as here."""
    project = make_project(root, {**environment, "DOCKER_HOST": engine.host})
    project.configure(f'driver = "docker"\ncontainer = "{container}"\ndirectory = "{project.remote}"\n')
    return project


def local_project(root: Path, environment: Mapping[str, str], extra: str = "") -> Project:
    """A project whose target is another directory of this machine, without a server."""
    project = make_project(root, environment)
    project.configure(f'driver = "local"\ndirectory = "{project.remote}"\n{extra}')
    return project


def vagrant_project(directory: Path, environment: Mapping[str, str], host: VagrantHost, config: str = "") -> Project:
    """A project in `directory` whose target is a Vagrant machine. Its Vagrantfile remains to be written."""
    directory.mkdir(exist_ok=True)
    project = Project(directory, directory, host.environment(environment))
    project.configure(f'driver = "vagrant"\n{config}')
    return project
