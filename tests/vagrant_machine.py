"""The real Vagrant with its docker provider: an image that it can log in to, projects, and their end.

Nothing of the user's is touched: Vagrant's home directory and the engine are the tests' own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rdo.drivers.vagrant.driver import VagrantDriver
from tests.docker_engine import DockerEngine

VAGRANT_DEADLINE = 300.0
"""Seconds for any `vagrant`, the slowest of which takes 10."""

IMAGE = "rdo-test-vagrant"
NETWORK = "rdo-test"
"""The tests' engine has no network by itself, and a machine's port must be reachable."""

DOCKERFILE = """\
FROM {base}
RUN rm -f /etc/ssh/ssh_host_* && useradd --create-home --shell /bin/bash vagrant \\
 && echo 'vagrant ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/vagrant
COPY key.pub /home/vagrant/.ssh/authorized_keys
RUN chown -R vagrant: /home/vagrant/.ssh && chmod 700 /home/vagrant/.ssh && chmod 600 /home/vagrant/.ssh/*
CMD ["/bin/sh", "-c", "ssh-keygen -A && mkdir -p /run/sshd && exec /usr/sbin/sshd -D -e"]
"""
"""Host keys are made when a container starts for the first time, so that one built anew has others, as a VM has."""

PROVIDER = f"""\
  config.vm.provider "docker" do |docker|
    docker.image = "{IMAGE}"
    docker.create_args = ["--network", "{NETWORK}"]
    docker.has_ssh = true
    docker.remains_running = true
  end
"""

SHIM = """\
#!/bin/sh
echo "$*" >>'{log}'
exec '{program}' "$@"
"""


def vagrantfile(*lines: str) -> str:
    """A Vagrantfile for the docker provider, with more lines of configuration."""
    return 'Vagrant.configure("2") do |config|\n' + PROVIDER + "".join(f"  {line}\n" for line in lines) + "end\n"


def driver(
    project: Path, environment: Mapping[str, str], machine: str | None = None, auto_up: bool = False
) -> VagrantDriver:
    """A driver with nothing set but what is given."""
    return VagrantDriver(
        str(project),
        machine=machine,
        directory=None,
        auto_up=auto_up,
        connect_timeout=None,
        environment=environment,
    )


class VagrantHost:
    """Vagrant over one engine. `calls` of it are counted, since each starts Ruby."""

    def __init__(self, directory: Path, engine: Mapping[str, str]) -> None:
        """`engine` holds the variables that lead the docker program to the engine."""
        self._directory = directory
        self._log = directory / "calls"
        self._projects: list[tuple[Path, dict[str, str]]] = []
        self.variables = {
            **engine,
            "VAGRANT_HOME": str(directory / "home"),
            "VAGRANT_DEFAULT_PROVIDER": "docker",
            "VAGRANT_CHECKPOINT_DISABLE": "1",
        }
        program = shutil.which("vagrant")
        assert program is not None, "vagrant is not installed"
        (directory / "vagrant").write_text(SHIM.format(log=self._log, program=program))
        (directory / "vagrant").chmod(0o755)

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """The variables of a test's user, counted: `rdo`'s own directory stays first in PATH."""
        first, _, rest = given["PATH"].partition(":")
        return {**given, **self.variables, "PATH": f"{first}:{self._directory}:{rest}"}

    def prepare(self, base: str) -> None:
        """Make the image, on top of a Debian one with openssh-server and sudo, and the network."""
        context = self._directory / "image"
        context.mkdir()
        (context / "Dockerfile").write_text(DOCKERFILE.format(base=base))
        self.run(self._directory, "global-status")  # writes Vagrant's well-known key
        key = self._directory / "home" / "insecure_private_key"
        public = subprocess.run(["ssh-keygen", "-y", "-f", str(key)], check=True, capture_output=True)
        (context / "key.pub").write_bytes(public.stdout)
        self._docker("build", "--quiet", "--network=none", "--tag", IMAGE, str(context))
        self._docker("network", "create", NETWORK)

    def _docker(self, *words: str) -> None:
        environment = {**os.environ, **self.variables, "DOCKER_BUILDKIT": "0"}
        quiet = subprocess.DEVNULL
        subprocess.run(["docker", *words], check=True, env=environment, stdin=quiet, stdout=quiet)

    def add(self, project: Path, text: str, variables: Mapping[str, str] | None = None) -> None:
        """Write a project's Vagrantfile; its machines will be destroyed at the end, at the latest."""
        (project / "Vagrantfile").write_text(text)
        self._projects.append((project, dict(variables or {})))

    def run(self, project: Path, *words: str, variables: Mapping[str, str] | None = None) -> str:
        """Run Vagrant as the user would, uncounted; gives what it printed."""
        program = shutil.which("vagrant")
        assert program is not None
        done = subprocess.run(
            [program, *words],
            cwd=project,
            env={**os.environ, **self.variables, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=VAGRANT_DEADLINE,
            check=False,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    @property
    def calls(self) -> list[str]:
        """The counted command lines since the last look."""
        try:
            text = self._log.read_text()
        except FileNotFoundError:
            return []
        self._log.unlink()
        return text.splitlines()

    def destroy(self, project: Path) -> None:
        """End the machines of a project."""
        for each in [each for each in self._projects if each[0] == project]:
            self.run(project, "destroy", "--force", variables=each[1])
            self._projects.remove(each)

    def close(self) -> None:
        """End what is left; the network too, or its interface would outlive the engine."""
        for project, _ in list(self._projects):
            self.destroy(project)
        self._docker("network", "rm", NETWORK)


def shared_host(directory: Path, engine: DockerEngine, require: Callable[[str, str], object]) -> Iterator[VagrantHost]:
    """The body of the fixture for all tests."""
    missing = [name for name in ("vagrant", "docker") if shutil.which(name) is None]
    if missing:
        require("vagrant", f"not installed: {', '.join(missing)}")
    host = VagrantHost(directory, {"DOCKER_HOST": engine.host})
    try:
        host.prepare(engine.image())
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        require("vagrant", str(error))
    yield host
    host.close()
