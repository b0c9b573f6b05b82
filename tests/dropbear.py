"""dropbear as a server for tests: what small machines have, in ways of its own. On a free port of 127.0.0.1, for a user
who is made for the while, since it looks for keys in the user's home alone.
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
from collections.abc import Iterator
from pathlib import Path

from tests import account
from tests.sshd import END_DEADLINE, START_DEADLINE, client_config, free_port, make_key

SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin"


def why_not() -> str:
    """Why it cannot be run here; empty where it can."""
    return account.why_not() or ("" if shutil.which("dropbear", path=SBIN) else "dropbear is not installed")


class Dropbear:
    """A running server. Sessions have what is in `environment`."""

    def __init__(self, folder: Path, user: str, environment: dict[str, str]) -> None:
        """`folder` is the user's home."""
        self.folder = folder
        self.user = user
        self.port = free_port()
        self.client_key = make_key(folder / "client_ed25519")
        self.known_hosts = folder / "known_hosts"
        self._process = self._start(environment)
        self.pid = self._process.pid

    @property
    def log(self) -> str:
        """All that it has said."""
        return (self.folder / "log").read_text(errors="replace")

    def ssh_config(self) -> Path:
        """A client configuration under which `ssh -F FILE devbox` gets here, asking nothing."""
        return client_config(
            self.folder / "ssh_config",
            self.port,
            f"User {self.user}",
            f"IdentityFile {self.client_key}",
            "IdentitiesOnly yes",
            "IdentityAgent none",
            f"UserKnownHostsFile {self.known_hosts}",
            "GlobalKnownHostsFile /dev/null",
        )

    def stop(self) -> None:
        """End it and its connections."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(END_DEADLINE)

    def _start(self, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        key, kept = self.folder / "dropbear_key", self.folder / ".ssh"
        made = subprocess.run(
            ["dropbearkey", "-t", "ed25519", "-f", str(key)], check=True, capture_output=True, text=True
        )
        public = next(line for line in made.stdout.splitlines() if line.startswith("ssh-ed25519"))
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {public}\n")
        kept.mkdir(mode=0o700)
        shutil.copy(f"{self.client_key}.pub", kept / "authorized_keys")
        for path in (kept, kept / "authorized_keys"):
            shutil.chown(path, self.user)
        program = shutil.which("dropbear", path=SBIN)
        assert program
        words = [program, "-F", "-E", "-e", "-m", "-s", "-p", f"127.0.0.1:{self.port}", "-r", str(key)]
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*words, "-P", str(self.folder / "pid")],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={"PATH": os.environ.get("PATH", os.defpath), **environment},
            )
        self._wait_until_listening(process)
        return process

    def _wait_until_listening(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_DEADLINE
        while time.monotonic() < deadline:
            assert process.poll() is None, f"dropbear ended at once:\n{self.log}"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0):
                return
            time.sleep(0.01)
        raise AssertionError(f"dropbear does not listen:\n{self.log}")


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """One that every user may write to. What pytest makes is closed to others."""
    with tempfile.TemporaryDirectory(prefix="rdo-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


@contextlib.contextmanager
def running(environment: dict[str, str]) -> Iterator[Dropbear]:
    """A server and its user, until the end of the context."""
    with open_folder() as folder:
        folder.chmod(0o755)
        with account.account(folder) as user:
            server = Dropbear(folder, user, environment)
            try:
                yield server
            finally:
                server.stop()
