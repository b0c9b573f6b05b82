"""Tests for logging in with the keys of an agent."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from rdo.errors import ConnectError
from tests.connecting import connected
from tests.integration.conftest import Connect
from tests.keys import make_key
from tests.login_keys import PASSPHRASE, add_to_agent, authorized, config
from tests.ssh_client import ScriptedCaller, driver, output
from tests.ssh_server import SshServer


def test_with_the_callers_agent_no_passphrase_is_needed(
    server: SshServer, connect: Connect, tmp_path: Path, agent: dict[str, str]
) -> None:
    key = authorized(server, tmp_path, "rsa")
    add_to_agent(agent, key)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", PASSPHRASE, "-f", str(key)], check=True, capture_output=True)
    asked = ScriptedCaller(environment=agent)
    connect(config(server, "IdentityAgent SSH_AUTH_SOCK"), caller=asked, identity=str(key))
    assert asked.asked == []


def test_other_keys_of_the_agent_are_tried_unless_that_is_forbidden(
    server: SshServer, connect: Connect, tmp_path: Path, agent: dict[str, str]
) -> None:
    add_to_agent(agent, authorized(server, tmp_path))
    connect(
        config(server, "IdentityAgent SSH_AUTH_SOCK", "IdentitiesOnly no"), caller=ScriptedCaller(environment=agent)
    )
    with pytest.raises(ConnectError, match="authentication failed"):
        connected(driver(config(server, "IdentityAgent SSH_AUTH_SOCK")), ScriptedCaller(environment=agent))


def test_a_stale_agent_socket_is_ignored(server: SshServer, connect: Connect, tmp_path: Path) -> None:
    key = authorized(server, tmp_path)
    environment = {"SSH_AUTH_SOCK": str(tmp_path / "gone"), "PATH": os.environ["PATH"]}
    asked = ScriptedCaller(environment=environment)
    connect(config(server, "IdentityAgent SSH_AUTH_SOCK"), caller=asked, identity=str(key))


def test_the_agent_reaches_the_target_only_when_forwarded(
    server: SshServer, connect: Connect, tmp_path: Path, agent: dict[str, str]
) -> None:
    key = authorized(server, tmp_path)
    add_to_agent(agent, key)
    lines = ("IdentityAgent SSH_AUTH_SOCK", "IdentitiesOnly no", "ForwardAgent yes")
    forwarded = connect(config(server, *lines), caller=ScriptedCaller(environment=agent))
    assert output(forwarded, "ssh-add -L") == (0, key.with_suffix(".pub").read_text())
    plain = connect(config(server, *lines[:2]), caller=ScriptedCaller(environment=agent))
    assert output(plain, "echo ${SSH_AUTH_SOCK-none}") == (0, "none\n")


@pytest.mark.parametrize("gone", [False, True], ids=["beside the private key", "alone"])
@pytest.mark.parametrize("named", ["key_rsa.pub", "key_rsa"])
def test_a_public_key_selects_a_key_of_the_agent(
    named: str, gone: bool, server: SshServer, connect: Connect, tmp_path: Path, agent: dict[str, str]
) -> None:
    add_to_agent(agent, make_key(tmp_path / "other"))
    key = authorized(server, tmp_path, "rsa")
    add_to_agent(agent, key)
    if gone:
        key.unlink()
    (tmp_path / "key_rsa.pub").chmod(0o644)
    asked = ScriptedCaller(environment=agent)
    lines = ("IdentityAgent SSH_AUTH_SOCK", "IdentitiesOnly yes", f"IdentityFile {tmp_path / named}")
    connect(config(server, *lines), caller=asked)
    assert asked.told == []


def test_a_private_key_that_others_may_read_is_used_by_the_agent_that_has_it(
    server: SshServer, connect: Connect, tmp_path: Path, agent: dict[str, str]
) -> None:
    key = authorized(server, tmp_path)
    add_to_agent(agent, key)
    key.chmod(0o644)
    asked = ScriptedCaller(environment=agent)
    connect(config(server, "IdentityAgent SSH_AUTH_SOCK", f"IdentityFile {key}"), caller=asked)
    assert asked.told == []


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("value", ["yes", "no", "ask", "confirm", "1h"])
def test_an_accepted_key_is_added_to_the_agent_as_configured(
    value: str, kind: str, server: SshServer, connect: Connect, tmp_path: Path, agent: dict[str, str]
) -> None:
    key = authorized(server, tmp_path, kind)
    lines = ("IdentityAgent SSH_AUTH_SOCK", f"IdentityFile {key}", f"AddKeysToAgent {value}")
    asked = ScriptedCaller(["yes"] if kind == "rsa" else [], environment=agent)
    connect(config(server, *lines), caller=asked)
    held = subprocess.run(["ssh-add", "-L"], env=agent, capture_output=True, text=True, check=False).stdout
    expected = value in ("yes", "confirm", "1h") or (value == "ask" and kind == "rsa")
    assert (key.with_suffix(".pub").read_text().split()[1] in held) is expected
    assert bool(asked.asked) is (value == "ask")
    if expected and value in ("yes", "1h"):
        key.unlink()
        connect(config(server, *lines[:2], "IdentitiesOnly no"), caller=ScriptedCaller(environment=agent))
