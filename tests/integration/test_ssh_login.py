"""Tests for logging in to a real server: keys in files, certificates, and several steps."""

from __future__ import annotations

import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from paramiko.common import (
    MSG_EXT_INFO,
    MSG_SERVICE_REQUEST,
    MSG_USERAUTH_REQUEST,
    MSG_USERAUTH_SUCCESS,
)
from paramiko.message import Message

from tests.integration.conftest import Connect, MakeServer
from tests.keys import make_key
from tests.leaks import wait_until
from tests.login_keys import add_to_agent, authorized, config, rsa_key, user_name
from tests.odd_server import OddServer, Talk, text, uint32
from tests.servers import sshd_alone
from tests.ssh_client import TIMEOUT, ScriptedCaller, output
from tests.ssh_server import SshServer


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_key_of_each_kind_is_accepted(kind: str, server: SshServer, connect: Connect, tmp_path: Path) -> None:
    key = authorized(server, tmp_path, kind)
    assert output(connect(config(server), identity=str(key)), "echo in") == (0, "in\n")


def test_a_key_in_the_older_pem_format_is_accepted(server: SshServer, connect: Connect, tmp_path: Path) -> None:
    key = authorized(server, tmp_path, "rsa")
    subprocess.run(["ssh-keygen", "-q", "-p", "-m", "PEM", "-N", "", "-f", str(key)], check=True, capture_output=True)
    connect(config(server), identity=str(key))


@sshd_alone("certificates")
@pytest.mark.parametrize("where", ["beside", "named", "agent"])
def test_a_certificate_is_accepted_where_the_bare_key_is_not(
    where: str, own_server: MakeServer, connect: Connect, tmp_path: Path, agent: dict[str, str]
) -> None:
    authority, key = make_key(tmp_path / "ca"), rsa_key(tmp_path / "key")
    sign = ["ssh-keygen", "-q", "-s", str(authority), "-I", "me", "-n", user_name(), f"{key}.pub"]
    subprocess.run(sign, check=True, capture_output=True)
    lines = ["IdentityAgent SSH_AUTH_SOCK", f"IdentityFile {key}"]
    if where == "named":
        shutil.move(tmp_path / "key-cert.pub", tmp_path / "elsewhere.pub")
        lines.append(f"CertificateFile {tmp_path / 'elsewhere.pub'}")
    elif where == "agent":
        add_to_agent(agent, key)
        key.unlink()
    with own_server(f"TrustedUserCAKeys {authority}.pub") as server:
        connect(config(server, *lines, "IdentitiesOnly no"), caller=ScriptedCaller(environment=agent))
        assert wait_until(lambda: "Accepted publickey for" in server.log, TIMEOUT)
        assert "RSA-CERT" in server.log


@sshd_alone("certificates")
@pytest.mark.parametrize("how", ["named", "in place of the public key"])
def test_a_certificate_may_be_in_place_of_the_public_key(
    how: str, own_server: MakeServer, connect: Connect, tmp_path: Path, agent: dict[str, str]
) -> None:
    authority, key = make_key(tmp_path / "ca"), make_key(tmp_path / "key")
    sign = ["ssh-keygen", "-q", "-s", str(authority), "-I", "me", "-n", user_name(), f"{key}.pub"]
    subprocess.run(sign, check=True, capture_output=True)
    certificate = tmp_path / "key-cert.pub"
    lines = ["IdentityAgent SSH_AUTH_SOCK", "IdentitiesOnly yes"]
    if how == "named":
        add_to_agent(agent, key)
        subprocess.run(["ssh-add", "-d", str(key)], env=agent, check=True, capture_output=True)
        shutil.move(certificate, tmp_path / "mine.pub")
        add_to_agent(agent, key)
        key.unlink()
        lines.append(f"IdentityFile {tmp_path / 'mine.pub'}")
    else:
        shutil.move(certificate, tmp_path / "key.pub")
        lines.append(f"IdentityFile {key}")
    with own_server(f"TrustedUserCAKeys {authority}.pub") as server:
        connect(config(server, *lines), caller=ScriptedCaller(environment=agent))
        assert wait_until(lambda: "ED25519-CERT" in server.log, TIMEOUT)


@sshd_alone("AuthenticationMethods")
def test_two_keys_are_used_if_two_are_required(own_server: MakeServer, connect: Connect, tmp_path: Path) -> None:
    server = own_server("AuthenticationMethods publickey,publickey")
    keys = [authorized(server, tmp_path, kind) for kind in ("ed25519", "ecdsa")]
    with server:
        connect(config(server, *(f"IdentityFile {key}" for key in keys)))
        assert "Partial publickey" in server.log


def test_a_file_that_is_not_a_key_is_skipped(server: SshServer, connect: Connect, tmp_path: Path) -> None:
    junk = tmp_path / "junk"
    junk.write_text("no key\n")
    junk.chmod(0o600)
    connect(config(server, f"IdentityFile {junk}", f"IdentityFile {authorized(server, tmp_path)}"))


@pytest.mark.parametrize("permitted", ["yes", "no"])
def test_a_local_command_is_run_after_connecting_if_permitted(
    permitted: str, server: SshServer, connect: Connect, caller: ScriptedCaller
) -> None:
    lines = ("LocalCommand echo to %n as %r; echo no >&2; exit 3", f"PermitLocalCommand {permitted}")
    connection = connect(server.ssh_config(extra=lines, name="local_command"))
    assert output(connection, "echo in") == (0, "in\n")
    assert caller.told == ([f"to devbox as {server.user or user_name()}", "no"] if permitted == "yes" else [])


def test_a_quiet_log_level_silences_banner_and_notices(
    own_server: MakeServer, connect: Connect, tmp_path: Path
) -> None:
    (tmp_path / "banner").write_text("private machine\n")
    with own_server(banner=tmp_path / "banner") as server:
        for level, told in (("INFO", True), ("ERROR", False), ("QUIET", False)):
            server.known_hosts.unlink(missing_ok=True)
            caller = ScriptedCaller()
            connect(server.ssh_config(extra=[f"LogLevel {level}", "StrictHostKeyChecking no"]), caller=caller)
            assert ("private machine" in caller.told) is told
            assert bool(caller.told) is told


@pytest.mark.parametrize("announced", [b"rsa-sha2-512", b""], ids=["late", "not at all"])
def test_the_extensions_of_a_server_are_read_before_a_signature_is_chosen(
    announced: bytes, connect: Connect, tmp_path: Path
) -> None:
    """The server's extensions arrive before the reply to our first message, possibly long after its keys."""
    seen: list[bytes] = []

    def accept(talk: Talk, message: Message) -> None:
        if announced:
            threading.Event().wait(1.0)
            talk.say(MSG_EXT_INFO, uint32(1) + text(b"server-sig-algs") + text(announced))
        talk.accept_service(message)

    def let_in(talk: Talk, message: Message) -> None:
        fields = [message.get_string() for _ in range(3)]
        assert fields[2] == b"publickey"
        is_signed = message.get_boolean()
        seen.append(message.get_string())
        if is_signed:
            talk.say(MSG_USERAUTH_SUCCESS)
        else:
            talk.say(60, text(seen[-1]) + text(message.get_string()))

    key = rsa_key(tmp_path / "key")
    with OddServer(tmp_path, None, {MSG_SERVICE_REQUEST: accept, MSG_USERAUTH_REQUEST: let_in}) as server:
        lines = server.ssh_config.read_text().replace("IdentityFile none", f"IdentityFile {key}")
        server.ssh_config.write_text(f"{lines}  PubkeyAcceptedAlgorithms ssh-rsa,rsa-sha2-512\n")
        connect(server.ssh_config)
    assert set(seen) == {announced or b"ssh-rsa"}
