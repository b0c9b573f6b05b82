"""Keys for logins, in files and in an agent."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.keys import make_key
from tests.ssh_server import SshServer

PASSPHRASE = "correct horse"


@pytest.fixture
def agent() -> Iterator[dict[str, str]]:
    """Run an agent without keys. Yields the environment of a caller who uses it."""
    directory = tempfile.mkdtemp(prefix="rdo-", dir="/tmp")
    path = f"{directory}/agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()  # it prints its socket when it listens
    yield {"SSH_AUTH_SOCK": path, "PATH": os.environ["PATH"]}
    process.terminate()
    process.wait(5.0)
    process.stdout.close()
    shutil.rmtree(directory)


def add_to_agent(environment: dict[str, str], key: Path) -> None:
    subprocess.run(["ssh-add", "-q", str(key)], env=environment, check=True, stdin=subprocess.DEVNULL)


def config(server: SshServer, *lines: str) -> Path:
    """Write a configuration that uses only the keys in `lines`."""
    path = server.ssh_config(extra=lines, name="login_config")
    path.write_text(path.read_text().replace(str(server.client_key), "none"))
    return path


@functools.cache
def rsa() -> tuple[bytes, bytes]:
    """Both halves of a key for all tests, since creating it takes long."""
    with tempfile.TemporaryDirectory() as directory:
        key = make_key(Path(directory, "key"), "rsa")
        return key.read_bytes(), key.with_suffix(".pub").read_bytes()


def rsa_key(path: Path) -> Path:
    path.touch(mode=0o600)
    for half, content in zip((path, Path(f"{path}.pub")), rsa(), strict=True):
        half.write_bytes(content)
    return path


def authorized(server: SshServer, directory: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    path = directory / f"key_{kind}"
    key = rsa_key(path) if kind == "rsa" else make_key(path, kind, passphrase)
    server.authorize(key)
    return key


def user_name() -> str:
    return subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()
