"""The real Vagrant with its docker provider: an image that it can log in to, and projects, which are removed at the
end.

Nothing of the user's is changed: Vagrant's home directory and the engine belong to the tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rdo.drivers.vagrant.driver import VagrantDriver
from tests.docker_engine import DockerEngine

VAGRANT_TIMEOUT = 300.0
"""Seconds for any `vagrant` command, the slowest of which takes 10."""

IMAGE = "rdo-test-vagrant"
NETWORK = "rdo-test"
"""The network for machines: the tests' engine has none by itself, and a machine's port must be reachable."""

HOST_KEY = "/etc/ssh/ssh_host_ecdsa_key"
"""The host key of the kind that can be created fastest, of those that Vagrant knows."""

WELL_KNOWN_KEY = (
    "ssh-rsa "
    "AAAAB3NzaC1yc2EAAAABIwAAAQEA6NF8iallvQVp22WDkTkyrtvp9eWW6A8YVr+kz4TjGYe7gHzIw+niNltGEFHzD8+v1I2YJ6oX"
    "evct1YeS0o9HZyN1Q9qgCgzUFtdOKLv6IedplqoPkcmF0aYet2PkEDo3MlTBckFXPITAMzF8dJSIFo9D8HfdOV0IAdx4O7PtixWK"
    "n5y2hMNG0zQPyUecp4pzC6kivAIhyfHilFR61RGL+GPXQ2MWZWFYbAGjyiYJnAmCP3NOTd0jMZEnDkbUvxhMmBYSdETk1rRgm+R4"
    "LOzFUGaHqHDLKLX+FIPKcF96hrucXzcWyLbIbEgE98OHlnVYCzRdK8jlqm8tehUc9c9WhQ=="
)
"""The public key with which Vagrant first logs in to a new machine, the same everywhere; Vagrant then replaces it."""

DOCKERFILE = """\
FROM {base}
RUN rm -f /etc/ssh/ssh_host_* && useradd --create-home --shell /bin/bash vagrant \\
 && echo 'vagrant ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/vagrant \\
 && mkdir -m 700 /home/vagrant/.ssh && echo '{key}' >/home/vagrant/.ssh/authorized_keys \\
 && chmod 600 /home/vagrant/.ssh/* && chown -R vagrant: /home/vagrant/.ssh
CMD ["/bin/sh", "-c", "{make_key}; mkdir -p /run/sshd && exec /usr/sbin/sshd -D -e"]
"""

MAKE_KEY = f"[ -e {HOST_KEY} ] || ssh-keygen -q -t ecdsa -N '' -f {HOST_KEY}"
"""Creates the host key when a container starts for the first time, so that a re-created one has another key, as a VM
has.
"""

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
    """A Vagrantfile for the docker provider, with additional lines."""
    return 'Vagrant.configure("2") do |config|\n' + PROVIDER + "".join(f"  {line}\n" for line in lines) + "end\n"


def kept(project: Path) -> dict[str, str]:
    """Variables of a user who shares Vagrant's answers about the project's machine, so that it is asked only once."""
    return {name: str(project.parent / name) for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME")}


def driver(
    project: Path, environment: Mapping[str, str], machine: str | None = None, auto_up: bool = False
) -> VagrantDriver:
    """A driver with only these settings."""
    return VagrantDriver(
        str(project),
        machine=machine,
        directory=None,
        auto_up=auto_up,
        connect_timeout=None,
        environment=environment,
    )


class VagrantHost:
    """Vagrant with an engine. Its calls are counted, since each starts Ruby."""

    def __init__(self, directory: Path, engine: Mapping[str, str]) -> None:
        """`engine` has the variables that make the docker program use the engine."""
        self._directory = directory
        self._log = directory / "calls"
        self._projects: list[Path] = []
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
        """The variables of a test's user, with a counting `vagrant`; `rdo`'s own directory stays first in PATH."""
        first, _, rest = given["PATH"].partition(":")
        return {**given, **self.variables, "PATH": f"{first}:{self._directory}:{rest}"}

    def prepare(self, base: str) -> None:
        """Build the image, from a Debian one with openssh-server and sudo, and create the network."""
        context = self._directory / "image"
        context.mkdir()
        (context / "Dockerfile").write_text(DOCKERFILE.format(base=base, key=WELL_KNOWN_KEY, make_key=MAKE_KEY))
        self._docker("build", "--quiet", "--network=none", "--tag", IMAGE, str(context))
        self._docker("network", "create", NETWORK)

    def _docker(self, *words: str) -> str:
        environment = {**os.environ, **self.variables, "DOCKER_BUILDKIT": "0"}
        return subprocess.check_output(["docker", *words], env=environment, stdin=subprocess.DEVNULL, text=True)

    def add(self, project: Path, text: str) -> None:
        """Write a project's Vagrantfile. Its machines are destroyed at the end at the latest."""
        (project / "Vagrantfile").write_text(text)
        self._projects.append(project)

    def run(self, project: Path, *words: str) -> str:
        """Run Vagrant as the user would, without counting it, and return its output."""
        program = shutil.which("vagrant")
        assert program is not None
        done = subprocess.run(
            [program, *words],
            cwd=project,
            env={**os.environ, **self.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=VAGRANT_TIMEOUT,
            check=False,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    @property
    def calls(self) -> list[str]:
        """The command lines that were counted since the last call."""
        try:
            text = self._log.read_text()
        except FileNotFoundError:
            return []
        self._log.unlink()
        return text.splitlines()

    def machines(self, project: Path) -> list[str]:
        """The containers of the project's machines."""
        return [path.read_text() for path in project.glob(".vagrant/machines/*/docker/id")]

    def port(self, project: Path) -> int:
        """The local port of the sshd of the project's only machine."""
        return int(self._docker("port", *self.machines(project), "22").split()[0].rpartition(":")[2])

    def destroy(self, project: Path) -> None:
        """Destroy the machines of a project, as `vagrant destroy` would, but without starting Ruby."""
        if machines := self.machines(project):
            self._docker("rm", "--force", "--volumes", *machines)
        shutil.rmtree(project / ".vagrant", ignore_errors=True)

    def close(self) -> None:
        """Remove what is left, and the network, whose interface would otherwise outlive the engine."""
        for project in self._projects:
            self.destroy(project)
        self._docker("network", "rm", NETWORK)


def shared_host(directory: Path, engine: DockerEngine, require: Callable[[str, str], object]) -> Iterator[VagrantHost]:
    """Implements the fixture for all tests."""
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
