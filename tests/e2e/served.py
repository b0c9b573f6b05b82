"""Real servers on the target, which is this machine, for forwards; and their clients."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.project import TIMEOUT
from tests.leaks import wait_until
from tests.ssh_server import free_port

SYSTEM_PYTHON = "/usr/bin/python3"
"""Debian's, because of its package for WebSockets."""


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skips a test if these programs are not installed. `make test ALL=1` installs them on Debian."""
    missing = [name for name in programs if find(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def find(name: str) -> str | None:
    """The path of a program, including those in Debian's directory for PostgreSQL."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name))
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *map(str, versions[-1:])]))


def has_websockets() -> bool:
    """Whether the system's Python has them."""
    words = [SYSTEM_PYTHON, "-c", "import websockets"]
    with suppress(OSError):
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
    return False


def ask(*words: str, input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a client to its end."""
    return subprocess.run(words, input=input, capture_output=True, timeout=TIMEOUT, check=False)


def listens(port: int) -> bool:
    """Whether somebody listens there, even if it resets the connection at once, as rdo does without a connection."""
    with suppress(OSError):
        with suppress(ConnectionResetError), socket.create_connection(("127.0.0.1", port), 1):
            pass
        return True
    return False


@contextmanager
def running(words: Sequence[str], port: int, cwd: Path | None = None) -> Iterator[int]:
    """Run a server, and wait until it listens on that port."""
    null = subprocess.DEVNULL
    with subprocess.Popen(words, cwd=cwd, stdin=null, stdout=null, stderr=null) as server:
        try:
            assert wait_until(lambda: listens(port) or server.poll() is not None, TIMEOUT)
            assert server.poll() is None, f"{words[0]} does not start"
            yield port
        finally:
            server.terminate()


@contextmanager
def file_server(directory: Path) -> Iterator[int]:
    """Python's own server, for the files of a directory."""
    port = free_port()
    words = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(directory), str(port)]
    with running(words, port):
        yield port


@contextmanager
def redis() -> Iterator[int]:
    """A redis that stores nothing."""
    port = free_port()
    words = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with tempfile.TemporaryDirectory() as directory, running(words, port, Path(directory)):
        yield port


@contextmanager
def postgres() -> Iterator[int]:
    """A PostgreSQL with an empty database. Its programs refuse to run as root."""
    user, port = ("nobody", free_port()) if os.getuid() == 0 else ("", free_port())
    change = ["setpriv", f"--reuid={user}", f"--regid={_group(user)}", "--clear-groups"] if user else []
    with tempfile.TemporaryDirectory(prefix="rdo-pg-", dir="/tmp") as name:
        if user:
            shutil.chown(name, user)
        initdb, server = find("initdb"), find("postgres")
        assert initdb is not None
        assert server is not None
        made = ask(*change, initdb, "-D", f"{name}/data", "-U", "tester", "-A", "trust", "--no-sync", "-E", "UTF8")
        assert made.returncode == 0, made.stderr.decode()
        words = [*change, server, "-D", f"{name}/data", "-p", str(port), "-k", name, "-c", "fsync=off"]
        with running(words, port):
            yield port


def _group(user: str) -> int:
    return pwd.getpwnam(user).pw_gid
