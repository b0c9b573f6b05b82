"""What the SSH servers of tests have in common: a process on a free port of 127.0.0.1, with its own keys, log and
client configuration.

The machine's own server is neither used nor changed.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from tests.keys import make_plain_key
from tests.leaks import wait_until

Server = TypeVar("Server", bound="SshServer")

START_TIMEOUT = 30.0
"""Seconds for a server to listen. On an idle machine it takes 20 ms."""
END_TIMEOUT = 20.0

MARK = "RDO_TEST_ID"

OPEN = ("01", "08")
"""States of a TCP socket in /proc/net/tcp: established, and closed only by its peer."""

CUT_TIMEOUT = 2.0
"""Seconds for clients to close connections that were cut; some hold theirs on purpose."""
"""The variable by which the leak check finds what a session left behind."""

FIRST_PORT, END_OF_PORTS = 10240, 32240
"""Ports below those that a system gives to outgoing connections, so nobody takes one between our check and its use."""

OWN_PORTS = 500
"""The number of ports for each process that runs tests, which is more than one needs."""


def claim() -> tuple[socket.socket, Iterator[int]]:
    """Ports that no other process uses: a socket bound to the first of them, and the others, again and again."""
    for first in range(FIRST_PORT, END_OF_PORTS, OWN_PORTS):
        claimed = socket.socket()
        try:
            claimed.bind(("127.0.0.1", first))
        except OSError:
            claimed.close()
        else:
            return claimed, itertools.cycle(range(first + 1, first + OWN_PORTS))
    raise AssertionError("too many processes run tests on this machine")


CLAIMED, PORTS = claim()  # at once, so that no test leaves an open file behind
atexit.register(CLAIMED.close)


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens, and which no other test process uses."""
    while True:
        port = next(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def client_config(path: Path, port: int, *lines: str, alias: str = "devbox") -> Path:
    """Write a client configuration to `path`, with which `ssh -F FILE devbox` connects to a port of this machine."""
    path.write_text("\n  ".join((f"Host {alias}", *lines, "HostName 127.0.0.1", f"Port {port}")) + "\n")
    return path


class SshServer(ABC):
    """A server. Change the `environment` of its sessions, or `authorize` keys, and then start it."""

    program: str
    """The name that `ps` shows for the processes of its connections."""

    accepted: str
    """The text in its log for each login."""

    def __init__(self, directory: Path, authorized_keys: Path, user: str = "") -> None:
        """Create keys in `directory`, without starting the server. `user` is whom to log in as, if not the current
        user.
        """
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.user = user
        self.host_keys = [make_plain_key(directory / "host_ed25519"), make_plain_key(directory / "host_ecdsa", "ecdsa")]
        self.client_key = make_plain_key(directory / "client_ed25519")
        self.authorized_keys = authorized_keys
        self.known_hosts = directory / "known_hosts"
        self.environment: dict[str, str] = {}
        if MARK in os.environ:
            self.environment[MARK] = os.environ[MARK]
        self.authorize(self.client_key)
        self.trust()
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def _command(self) -> tuple[list[str], dict[str, str]]:
        """The command to run in the foreground, with its log on stderr, and its environment.

        When it listens, it writes its process ID to the file `pid`. Otherwise, another process might be listening on
        the port.
        """

    @property
    def log(self) -> str:
        """Everything that the server has written to its log."""
        path = self.directory / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def logins(self) -> int:
        """The number of logins so far."""
        return self.log.count(self.accepted)

    @property
    def pid(self) -> int:
        """The process ID of the listening server."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def authorize(self, *keys: Path) -> None:
        """Accept these private keys, in addition to those that were accepted before."""
        lines = [key.with_name(f"{key.name}.pub").read_text() for key in keys]
        with self.authorized_keys.open("a") as file:
            file.writelines(lines)

    def trust(self) -> None:
        """Write only the server's host keys to the known_hosts file that `ssh_config` names."""
        keys = [key.with_name(f"{key.name}.pub").read_text() for key in self.host_keys]
        self.known_hosts.write_text("".join(f"[127.0.0.1]:{self.port} {key}" for key in keys))

    def ssh_config(self, alias: str = "devbox", extra: Iterable[str] = (), name: str = "ssh_config") -> Path:
        """Write a client configuration with which `ssh -F FILE devbox` logs in with the client key, without questions.
        `extra` lines come first, so they take precedence.
        """
        return client_config(
            self.directory / name,
            self.port,
            *extra,
            *([f"User {self.user}"] if self.user else []),
            f"IdentityFile {self.client_key}",
            "IdentitiesOnly yes",
            "IdentityAgent none",
            f"UserKnownHostsFile {self.known_hosts}",
            "GlobalKnownHostsFile /dev/null",
            alias=alias,
        )

    def start(self: Server) -> Server:
        """Start the server, and wait until it listens."""
        words, environment = self._command()
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={"PATH": os.environ.get("PATH", os.defpath), **environment},
            )
        self._wait_until_listening(self._process)
        return self

    def stop(self) -> None:
        """End the server and all its connections. It need not be running."""
        if self._process is None:
            return
        sessions = self.sessions()
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(END_TIMEOUT)
        self._process = None
        for pid in sessions:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def restart(self: Server) -> Server:
        """Stop the server, and start it with the current settings."""
        self.stop()
        return self.start()

    def cut(self) -> None:
        """End all connections at once, as a reboot of the machine would, but keep listening. Waits until the clients
        have noticed, since they usually have long before the next command is typed.
        """
        ended = set(self.sessions())
        for pid in ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + END_TIMEOUT
        while ended & set(self.sessions()):  # a killed process keeps its connection for a moment
            assert time.monotonic() < deadline, f"{self.program} does not end its connections"
            time.sleep(0.01)
        wait_until(lambda: not self._is_connected(), CUT_TIMEOUT)

    def _is_connected(self) -> bool:
        """Whether a client has a socket to this server that it has not closed. Known only on Linux."""
        try:
            lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
        except OSError:
            return False
        rows = [line.split() for line in lines]
        return any(row[2].endswith(f":{self.port:04X}") and row[3] in OPEN for row in rows)

    def sessions(self) -> list[int]:
        """The process IDs of the servers of single connections, privileged or not, and of what they started."""
        parents: dict[int, list[int]] = {}
        listing = subprocess.run(["ps", "-Awwo", "pid=,ppid=,args="], check=True, capture_output=True, text=True)
        for line in listing.stdout.splitlines():
            pid, parent, command = line.split(None, 2)
            if self.program in command.split()[0]:
                parents.setdefault(int(parent), []).append(int(pid))
        return list(_descendants(self.pid, parents))

    def __enter__(self: Server) -> Server:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_until_listening(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            assert process.poll() is None, f"{self.program} ended at once:\n{self.log}"
            with contextlib.suppress(OSError):
                if (self.directory / "pid").read_text().strip() == str(process.pid):
                    return
            time.sleep(0.01)
        raise AssertionError(f"{self.program} does not listen:\n{self.log}")


def _descendants(pid: int, children: dict[int, list[int]]) -> Iterator[int]:
    for child in children.get(pid, ()):
        yield child
        yield from _descendants(child, children)
