"""Tests for logins that a server refuses, and keys that are not used: what the user is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from paramiko.common import (
    MSG_DISCONNECT,
    MSG_USERAUTH_FAILURE,
    MSG_USERAUTH_REQUEST,
)
from paramiko.message import Message

from rdo.errors import ConnectError
from tests.connecting import connected
from tests.integration.conftest import MakeServer
from tests.keys import make_key
from tests.login_keys import add_to_agent, authorized, config, user_name
from tests.odd_server import OddServer, Talk, text, uint32
from tests.servers import sshd_alone
from tests.ssh_client import ScriptedCaller, driver
from tests.ssh_server import SshServer


def test_a_key_that_others_may_read_is_skipped_and_named(server: SshServer, tmp_path: Path) -> None:
    key = authorized(server, tmp_path)
    key.chmod(0o644)
    asked = ScriptedCaller()
    with pytest.raises(ConnectError, match="permissions 0644 are too open"):
        connected(driver(config(server), identity=str(key)), asked)
    assert asked.told == [f"rdo: the key `{key}` is not used: permissions 0644 are too open"]


def test_a_key_file_that_is_missing_is_named(server: SshServer, tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match=r"the key `.*missing`: there is no such file"):
        connected(driver(config(server), identity=str(tmp_path / "missing")), ScriptedCaller())


@sshd_alone("a count of keys")
def test_too_many_keys_are_reported_in_a_line(own_server: MakeServer, tmp_path: Path) -> None:
    keys = [make_key(tmp_path / f"key{number}") for number in range(3)]
    why = "Too many authentication failures; 2 keys were tried: .* IdentitiesOnly"
    with own_server(tries=2) as server, pytest.raises(ConnectError, match=why):
        connected(driver(config(server, *(f"IdentityFile {key}" for key in keys))), ScriptedCaller())


@pytest.mark.parametrize(("words", "keys"), [("trop d'essais", 2), ("too many", 1)])
def test_the_servers_message_does_not_affect_the_advice(words: str, keys: int, tmp_path: Path) -> None:
    def hang_up(talk: Talk, message: Message) -> None:
        if len(seen) + 1 < keys:
            seen.append(message)
            talk.say(MSG_USERAUTH_FAILURE, text(b"publickey") + b"\0")
        else:
            talk.say(MSG_DISCONNECT, uint32(2) + text(words.encode()) + text(b""))

    seen: list[Message] = []
    files = [make_key(tmp_path / f"key{number}") for number in range(keys)]
    with OddServer(tmp_path, None, {MSG_USERAUTH_REQUEST: hang_up}) as server:
        named = "\n  ".join(f"IdentityFile {key}" for key in files)
        server.ssh_config.write_text(server.ssh_config.read_text().replace("IdentityFile none", named))
        with pytest.raises(ConnectError, match=words) as failure:
            connected(driver(server.ssh_config), ScriptedCaller())
    assert ("IdentitiesOnly" in str(failure.value)) is (keys > 1)


def test_a_public_key_without_its_private_half_is_named(server: SshServer, tmp_path: Path) -> None:
    key = authorized(server, tmp_path)
    key.unlink()
    why = r"key_ed25519.pub`: it is a public key, and the agent does not have its private half"
    with pytest.raises(ConnectError, match=why):
        connected(driver(config(server), identity=f"{key}.pub"), ScriptedCaller())


@pytest.mark.parametrize("agent_has_it", [False, True], ids=["file", "agent"])
@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("PubkeyAcceptedAlgorithms ssh-ed25519", "PubkeyAcceptedAlgorithms has no algorithm for it"),
        ("RequiredRSASize 4096", "2048 bits, and RequiredRSASize is 4096"),
    ],
)
def test_a_key_that_the_configuration_does_not_allow_is_not_used(
    line: str, why: str, agent_has_it: bool, server: SshServer, tmp_path: Path, agent: dict[str, str]
) -> None:
    key = authorized(server, tmp_path, "rsa")
    if agent_has_it:
        add_to_agent(agent, key)
    accepted = server.logins
    lines = ("IdentityAgent SSH_AUTH_SOCK", f"IdentityFile {key}", line)
    with pytest.raises(ConnectError, match=why):
        connected(driver(config(server, *lines)), ScriptedCaller(environment=agent))
    assert server.logins == accepted


def test_a_refused_login_reports_how_to_install_a_key_and_what_was_tried(server: SshServer, tmp_path: Path) -> None:
    file = config(server, f"IdentityFile {make_key(tmp_path / 'stranger')}")
    with pytest.raises(ConnectError) as failure:
        connected(driver(file, user=user_name()), ScriptedCaller())
    text = str(failure.value)
    assert "the server accepts `publickey`; tried `publickey`; " in text
    assert text.endswith(f"as by `ssh-copy-id -F {file} {user_name()}@devbox`")


def test_of_many_keys_that_fail_the_error_names_the_first(server: SshServer, tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match=r"key0.*key2.*; 17 more keys failed; ") as failure:
        connected(
            driver(config(server, *(f"IdentityFile {tmp_path}/key{each}" for each in range(20)))), ScriptedCaller()
        )
    assert "key3" not in str(failure.value)


def test_a_file_that_the_ssh_configuration_names_and_that_is_missing_is_named(
    server: SshServer, tmp_path: Path
) -> None:
    asked = ScriptedCaller()
    with pytest.raises(ConnectError):
        connected(driver(config(server, f"IdentityFile {tmp_path / 'gone'}", "IdentityFile ~/.ssh/id_dsa")), asked)
    assert asked.told == [f"rdo: the key `{tmp_path / 'gone'}` is not used: there is no such file"]
