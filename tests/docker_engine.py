"""A real Docker engine for tests: a dockerd that root starts with its own socket and data, and images that need no
registry.

The machine's own engine is neither used nor changed: this one has no network of its own, and no iptables rules.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import docker
import docker.errors

from tests.base_system import base_archive, path_with_sbin

START_TIMEOUT = 30.0
"""Seconds for dockerd to answer. On an idle machine it takes 2 s, since it starts a containerd first."""
END_TIMEOUT = 20.0
FLAGS = ("--bridge=none", "--iptables=false", "--ip6tables=false")
NEEDED = ("dockerd", "debootstrap")
SHELLS = {"dash": "dash", "bash": "bash", "busybox": "busybox"}
"""The images, by the program that their /bin/sh is a link to."""


def why_not() -> str:
    """Why there can be no engine here; empty if there can be one."""
    if os.getuid() != 0:
        return "dockerd wants to be started by root"
    missing = [name for name in NEEDED if shutil.which(name, path=path_with_sbin()) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


class DockerEngine:
    """An engine. Its images are called `rdo-test-SHELL`."""

    def __init__(self, environment: Mapping[str, str] | None = None, extra: tuple[str, ...] = ()) -> None:
        """`environment` is added to that of the engine, and so of what it starts; `extra` are further flags."""
        self.directory = Path(tempfile.mkdtemp(prefix="rdo-docker-", dir="/var/tmp"))
        self.host = f"unix://{self.directory}/engine.sock"
        self._environment = {**os.environ, "PATH": path_with_sbin(), **(environment or {})}
        self._flags = [*FLAGS, *extra]
        self._process: subprocess.Popen[bytes] | None = None
        self._made: set[str] = set()

    @property
    def pid(self) -> int:
        """The process ID of dockerd."""
        assert self._process is not None, "the engine is not running"
        return self._process.pid

    @property
    def log(self) -> str:
        """What the engine wrote to its log so far."""
        path = self.directory / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> DockerEngine:
        """Start the engine, and wait until it answers. Raises RuntimeError if it does not."""
        places = ["--data-root", f"{self.directory}/data", "--exec-root", f"{self.directory}/run"]
        command = ["dockerd", "-H", self.host, *places, "-p", f"{self.directory}/pid", *self._flags]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment, start_new_session=True
            )
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._listens():
                with self.client() as client:
                    client.ping()
                return self
            time.sleep(0.05)
        last = (self.log.strip().splitlines() or ["it said nothing"])[-1]
        self._stop_engine()
        raise RuntimeError(f"dockerd does not start: {last}")

    def _listens(self) -> bool:
        """Whether the engine listens. The SDK would leave its socket open if it does not."""
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self.host.removeprefix("unix://")) == 0

    @contextlib.contextmanager
    def client(self) -> Iterator[docker.DockerClient]:
        """The SDK's client, which checks rdo by code that is not its own."""
        client = docker.DockerClient(base_url=self.host, timeout=60)
        try:
            yield client
        finally:
            client.close()

    def image(self, shell: str = "dash") -> str:
        """The name of the image with this shell as /bin/sh, which is built on first use."""
        name = f"rdo-test-{shell}"
        if name not in self._made:
            with self.client() as client:
                self._make_image(client, shell, name)
            self._made.add(name)
        return name

    def _make_image(self, client: docker.DockerClient, shell: str, name: str) -> None:
        if shell == "dash":
            client.api.import_image_from_file(str(base_archive()), repository=name, tag="latest")
            return
        link = f"ln -sf {SHELLS[shell]} /bin/sh.new && mv /bin/sh.new /bin/sh"
        container = client.containers.create(self.image("dash"), ["/bin/bash", "-c", link])
        container.start()
        assert container.wait()["StatusCode"] == 0
        container.commit(name, "latest")
        container.remove()

    @contextlib.contextmanager
    def container(
        self, shell: str = "dash", mounts: Mapping[Path, str] | None = None, *, runs: bool = True, **options: Any
    ) -> Iterator[str]:
        """Run a container with these directories mounted, and remove it afterwards. Yields its name.

        A container that is only inspected need not run, which would take most of the time.
        """
        volumes = [f"{local}:{remote}" for local, remote in (mounts or {}).items()]
        options = {"command": ["/bin/sleep", "infinity"], "init": True, **options}
        with self.client() as client:
            made = client.containers.create(self.image(shell), volumes=volumes, **options)
            try:
                if runs:
                    made.start()
                yield str(made.name)
            finally:
                with contextlib.suppress(docker.errors.NotFound):
                    made.remove(force=True)

    @contextlib.contextmanager
    def network(self) -> Iterator[str]:
        """Create a network for containers that publish ports, since the engine has none of its own. Yields its name."""
        with self.client() as client:
            made = client.networks.create(f"rdo-test-{os.getpid()}", driver="bridge")
            try:
                yield str(made.name)
            finally:
                made.remove()  # otherwise, its interface would outlive the engine

    def pause(self) -> None:
        """Stop the engine. `start` starts it again with everything that it had."""
        self._stop_engine()

    def stop(self) -> None:
        """Remove all containers, stop the engine, and remove its data."""
        if self._process is not None:
            with self.client() as client:
                for container in client.containers.list(all=True, ignore_removed=True):
                    with contextlib.suppress(docker.errors.APIError):  # one that removes itself may be doing so
                        container.remove(force=True)
            self._stop_engine()
        # The engine does not unmount what containers with this machine's network have.
        subprocess.run(["umount", "-l", f"{self.directory}/run/netns/default"], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _stop_engine(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(END_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def shared_engine(mark: Mapping[str, str], require: Callable[[str, str], object]) -> Iterator[DockerEngine]:
    """Implements the fixture for all tests that do not stop the engine. `mark` is for the leak check."""
    if reason := why_not():
        require("docker", reason)
    engine = DockerEngine(mark)
    try:
        engine.start()
        engine.image()
    except (RuntimeError, AssertionError, OSError, subprocess.CalledProcessError) as error:
        engine.stop()
        require("docker", str(error))
    yield engine
    engine.stop()
