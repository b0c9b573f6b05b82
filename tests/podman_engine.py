"""A real podman as an engine, with its own socket and storage: nothing of the machine's own is changed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests import docker_engine
from tests.base_system import base_archive
from tests.leaks import wait_until
from tests.processes import listed_processes

TIMEOUT = 60.0
"""Seconds for any podman command. Building the image takes 5."""

IMAGE = "rdo-test-dash"

LIMITS = ("--ulimit", "nofile=4096:4096", "--ulimit", "nproc=16384:16384")
"""Limits of a container. By default, podman requests more than some machines allow root."""


def why_not() -> str:
    """Why there can be no engine here; empty if there can be one."""
    if shutil.which("podman") is None:
        return "podman is not installed"
    return docker_engine.why_not()  # its image is used here


class PodmanEngine:
    """A podman engine, as described above."""

    def __init__(self, directory: Path) -> None:
        self.socket = directory / "engine.sock"
        places = [
            "--root",
            str(directory / "root"),
            "--runroot",
            str(directory / "run"),
            "--tmpdir",
            f"{directory}/tmp",
        ]
        self._podman = ["podman", *places, "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"]

    @property
    def host(self) -> str:
        """The value for DOCKER_HOST."""
        return f"unix://{self.socket}"

    def run(self, *words: str) -> str:
        """The output of a podman command that succeeds."""
        done = subprocess.run(
            [*self._podman, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Run the engine, with its image."""
        self.run("import", str(base_archive()), IMAGE)
        words: Sequence[str] = [*self._podman, "system", "service", "--time", "0", self.host]
        null = subprocess.DEVNULL
        with subprocess.Popen(words, stdin=null, stdout=null, stderr=null) as service:
            try:
                assert wait_until(self.socket.exists, TIMEOUT)
                yield
            finally:
                service.terminate()

    @contextmanager
    def container(self, directory: Path) -> Iterator[str]:
        """Run a container with this machine's network, and with the directory at `/there`. Yields its name."""
        name = f"rdo-test-{os.getpid()}"
        options = ["--network", "host", "--name", name, "--volume", f"{directory}:/there", *LIMITS]
        self.run("run", "--detach", *options, IMAGE, "/bin/sleep", "infinity")
        try:
            yield name
        finally:
            self.run("rm", "--force", "--time", "0", name)


@contextmanager
def podman() -> Iterator[PodmanEngine]:
    """An engine that is removed afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="rdo-podman-", dir="/var/tmp"))
    engine = PodmanEngine(directory)
    try:
        with engine.serving():
            yield engine
    finally:
        assert wait_until(lambda: not _ended(directory), TIMEOUT)
        shutil.rmtree(directory)


def _ended(directory: Path) -> list[int]:
    """End the processes that still use the directory: beside each program that was started, one waits five minutes to
    clean up after it, and would create the directory again.
    """
    left = [pid for pid, process in listed_processes().items() if str(directory) in process.command]
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return left
