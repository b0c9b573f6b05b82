"""SSH targets: a temporary sshd, its ssh configuration, and OpenSSH's own multiplexing as the peer."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.account import account
from benchmarks.command import BenchmarkError, Command, Skipped
from benchmarks.proxy import proxy
from benchmarks.workspace import Project, Workspace
from tests.sshd import Sshd, find_sshd

ALIAS = "devbox"

DELAY = 0.025
"""Seconds each way: a round trip of 50 ms, as between two cities."""

LOGIN_TIMEOUT = 10.0
"""Seconds for the ControlMaster to log in, which takes half a second with the delay."""

END_TIMEOUT = 2.0
"""Seconds for the ControlMaster to end, which happens at once unless it missed the signal."""

SLOW_BASHRC = "export RDO_BENCH=read\nsleep 0.08\n"
"""A .bashrc that takes as long as one with nvm and pyenv."""


@dataclass(frozen=True)
class Target:
    """A project whose target is an sshd, and the ssh configuration for that."""

    project: Project
    config: Path
    home: Path
    """The user's home directory on the target."""

    def rdo(self, *words: str) -> Command:
        """A command over rdo."""
        return self.project.command("rdo", *words)

    def ssh(self, *words: str, held: Path | None = None) -> Command:
        """The same command over ssh: over a ControlMaster's socket, or with its own login."""
        over = ("-S", str(held)) if held else ("-o", "ControlPath=none")
        return self.project.command("ssh", "-F", str(self.config), *over, ALIAS, *words)


@contextlib.contextmanager
def ssh_target(
    space: Workspace, slow: bool = False, delay: float = 0.0, settings: tuple[str, ...] = ()
) -> Iterator[Target]:
    """An sshd with these settings, and a user with a login shell that starts at once, or slowly. Raises Skipped."""
    if find_sshd() is None:
        raise Skipped("sshd is not installed")
    directory = space.directory("sshd")
    directory.chmod(0o755)
    server = Sshd(directory, settings)
    with contextlib.ExitStack() as ends:
        user = ends.enter_context(account("bash" if slow else "sh", directory / "user"))
        (user.home / ".bashrc").write_text(SLOW_BASHRC if slow else "")
        server.environment["HOME"] = str(user.home)
        ends.enter_context(server)
        ends.callback(space.stop_masters)
        through = ends.enter_context(proxy(server.port, delay)) if delay else server.port
        config = server.ssh_config(extra=[f"User {user.name}", *_detour(server, through)])
        text = f'driver = "ssh"\nhost = "{ALIAS}"\ndirectory = "{user.home}"\n'
        target = Target(space.project("project", text, RDO_SSH_CONFIG=str(config)), config, user.home)
        space.allow(target.project)
        if slow:
            _check_slow(target)
        yield target


def _detour(server: Sshd, port: int) -> list[str]:
    """Settings that lead to another port, with the server's host keys known there, too."""
    known = server.directory / f"known_hosts_{port}"
    known.write_text(server.known_hosts.read_text().replace(f":{server.port} ", f":{port} "))
    return [f"Port {port}", f"UserKnownHostsFile {known}"]


def _check_slow(target: Target) -> None:
    """Raise Skipped if bash does not read .bashrc for `ssh host command`, which depends on how bash was built."""
    command = target.ssh("echo $RDO_BENCH")
    done = subprocess.run(
        command.argv,
        env=dict(command.environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LOGIN_TIMEOUT,
    )
    if done.stdout.strip() != b"read":
        raise Skipped(f"bash does not read .bashrc here: {done.stdout + done.stderr!r}")


@contextlib.contextmanager
def control_master(target: Target) -> Iterator[Path]:
    """Hold a connection of OpenSSH. Yields its control socket. Raises BenchmarkError."""
    path = target.project.directory / "cm"
    program = target.project.command("ssh").argv[0]
    process = subprocess.Popen(
        [program, "-F", str(target.config), "-M", "-N", "-S", str(path), ALIAS],
        env=dict(target.project.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C must not end it
    )
    with process:
        try:
            deadline = time.monotonic() + LOGIN_TIMEOUT
            while not path.exists():  # bound under another name, then moved into place
                if process.poll() is not None or time.monotonic() > deadline:
                    raise BenchmarkError("the ControlMaster did not log in")
                time.sleep(0.01)
            yield path
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Send TERM, then KILL: OpenSSH 9.2 misses a TERM that arrives just before it waits for the next event."""
    process.terminate()
    try:
        process.wait(END_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
