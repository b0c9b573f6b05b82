"""Tests for an agent's keys that are restricted to hosts, or belong to a security key: used only where they may be."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import struct
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from rdo.drivers.ssh.fields import string
from rdo.errors import ConnectError
from tests.connecting import connected
from tests.integration.conftest import Connect
from tests.keys import make_key
from tests.leaks import wait_until
from tests.login_keys import config
from tests.ssh_client import TIMEOUT, ScriptedCaller, driver, output
from tests.sshd import Sshd

LINES = ("IdentityAgent SSH_AUTH_SOCK", "IdentitiesOnly no")


def add_for(environment: dict[str, str], key: Path, known: Path, *hosts: str) -> None:
    """Add the key to the agent, restricted to these hosts."""
    words = [word for host in hosts for word in ("-h", host)]
    command = ["ssh-add", "-q", "-H", str(known), *words, str(key)]
    subprocess.run(command, env=environment, check=True, stdin=subprocess.DEVNULL)


def known_as(directory: Path, **servers: Sshd) -> Path:
    path = directory / "known"
    keys = [(name, key) for name, server in servers.items() for key in server.host_keys]
    path.write_text("".join(f"{name} {key.with_name(f'{key.name}.pub').read_text()}" for name, key in keys))
    return path


def test_a_key_for_this_host_alone_is_used(sshd: Sshd, connect: Connect, tmp_path: Path, agent: dict[str, str]) -> None:
    key = make_key(tmp_path / "key")
    sshd.authorize(key)
    add_for(agent, key, known_as(tmp_path, box=sshd), "box")
    assert output(connect(config(sshd, *LINES), caller=ScriptedCaller(environment=agent)), "echo in") == (0, "in\n")


def test_a_key_for_another_host_is_not_usable(
    sshd: Sshd, own_sshd: Callable[..., Sshd], tmp_path: Path, agent: dict[str, str]
) -> None:
    key = make_key(tmp_path / "key")
    sshd.authorize(key)
    add_for(agent, key, known_as(tmp_path, other=own_sshd()), "other")
    with pytest.raises(ConnectError, match="authentication failed"):
        connected(driver(config(sshd, *LINES)), ScriptedCaller(environment=agent))


def test_a_key_for_this_host_alone_is_not_usable_on_it(
    sshd: Sshd, connect: Connect, tmp_path: Path, agent: dict[str, str]
) -> None:
    key, free = make_key(tmp_path / "key"), make_key(tmp_path / "free", comment="free")
    sshd.authorize(key)
    add_for(agent, key, known_as(tmp_path, box=sshd), "box")
    subprocess.run(["ssh-add", "-q", str(free)], env=agent, check=True, stdin=subprocess.DEVNULL)
    lines = (*LINES, "ForwardAgent yes")
    connection = connect(config(sshd, *lines), caller=ScriptedCaller(environment=agent))
    assert output(connection, "ssh-add -L") == (0, free.with_suffix(".pub").read_text())


@pytest.mark.parametrize("value", ["yes", "host-bound", "unbound"])
def test_a_signature_is_bound_to_the_servers_key_unless_that_is_turned_off(
    value: str, own_sshd: Callable[..., Sshd], connect: Connect
) -> None:
    with own_sshd("LogLevel DEBUG2") as server:
        connect(server.ssh_config(extra=[f"PubkeyAuthentication {value}"]))
        assert wait_until(lambda: "Accepted publickey" in server.log, TIMEOUT)
        assert ("method publickey-hostbound-v00@openssh.com" in server.log) is (value != "unbound")


class SecurityKey:
    """An agent that imitates a security key of type sk-ssh-ed25519@openssh.com, its only key."""

    KIND, APPLICATION = b"sk-ssh-ed25519@openssh.com", b"ssh:"

    def __init__(self, path: str) -> None:
        self._key = ed25519.Ed25519PrivateKey.generate()
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        self.blob = string(self.KIND) + string(self._key.public_key().public_bytes(*raw)) + string(self.APPLICATION)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                while size := stream.read(4):
                    request = stream.read(int.from_bytes(size, "big"))
                    connection.sendall(string(self._answer(request)))

    def _answer(self, request: bytes) -> bytes:
        if request[0] == 11:  # list the keys
            return bytes([12]) + struct.pack(">I", 1) + string(self.blob) + string(b"a security key")
        if request[0] == 13:  # sign
            data = request[1 + 4 + len(self.blob) + 4 : -4]
            state = b"\x01" + struct.pack(">I", 7)  # the flag for touch, and the signature counter
            signed = hashlib.sha256(self.APPLICATION).digest() + state + hashlib.sha256(data).digest()
            return bytes([14]) + string(string(self.KIND) + string(self._key.sign(signed)) + state)
        return bytes([5])


@pytest.fixture
def security_key() -> Iterator[tuple[SecurityKey, dict[str, str]]]:
    with tempfile.TemporaryDirectory(prefix="rdo-", dir="/tmp") as directory:
        made = SecurityKey(f"{directory}/agent")
        yield made, {"SSH_AUTH_SOCK": f"{directory}/agent", "PATH": os.environ["PATH"]}
        made.close()


@pytest.mark.parametrize("named", [False, True], ids=["any of the agent's", "named by its public key"])
def test_a_security_key_is_used_by_the_agent(
    named: bool,
    own_sshd: Callable[..., Sshd],
    connect: Connect,
    tmp_path: Path,
    security_key: tuple[SecurityKey, dict[str, str]],
) -> None:
    key, environment = security_key
    public = f"{key.KIND.decode()} {base64.b64encode(key.blob).decode()} mine\n"
    (tmp_path / "id_sk.pub").write_text(public)
    with own_sshd() as server:
        with server.authorized_keys.open("a") as file:
            file.write(public)
        lines = ["IdentityAgent SSH_AUTH_SOCK"]
        lines += [f"IdentityFile {tmp_path / 'id_sk'}", "IdentitiesOnly yes"] if named else ["IdentitiesOnly no"]
        connection = connect(config(server, *lines), caller=ScriptedCaller(environment=environment))
        assert output(connection, "echo in") == (0, "in\n")
