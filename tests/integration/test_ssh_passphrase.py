"""Tests for a key with a passphrase: who is asked for it, and how often."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from rdo.errors import ConnectError
from tests.connecting import connected
from tests.integration.conftest import Connect
from tests.keys import make_key
from tests.login_keys import PASSPHRASE, authorized, config
from tests.ssh_client import ScriptedCaller, driver
from tests.ssh_server import SshServer


def test_a_passphrase_is_asked_for_without_echo(server: SshServer, connect: Connect, tmp_path: Path) -> None:
    key = authorized(server, tmp_path, passphrase=PASSPHRASE)
    asked = ScriptedCaller(["wrong", PASSPHRASE])
    connect(config(server), caller=asked, identity=str(key))
    assert asked.asked == [(f"Enter passphrase for key '{key}': ", False)] * 2


def test_a_passphrase_is_asked_for_three_times(server: SshServer, tmp_path: Path) -> None:
    key = authorized(server, tmp_path, passphrase=PASSPHRASE)
    asked = ScriptedCaller(["wrong"] * 9)
    with pytest.raises(ConnectError, match=f"ssh-add {re.escape(str(key))}"):
        connected(driver(config(server), identity=str(key)), asked)
    assert len(asked.asked) == 3


def test_no_passphrase_is_asked_for_a_key_that_the_server_does_not_accept(server: SshServer, tmp_path: Path) -> None:
    key = make_key(tmp_path / "stranger", passphrase=PASSPHRASE)
    asked = ScriptedCaller([PASSPHRASE])
    with pytest.raises(ConnectError, match="the server accepts `publickey`; tried `publickey`; "):
        connected(driver(config(server), identity=str(key)), asked)
    assert asked.asked == []


def test_without_a_terminal_the_locked_key_and_its_remedy_are_named(server: SshServer, tmp_path: Path) -> None:
    key = authorized(server, tmp_path, passphrase=PASSPHRASE)
    with pytest.raises(ConnectError) as failure:
        connected(driver(config(server), identity=str(key)), ScriptedCaller())
    assert f"the key `{key}` needs its passphrase" in str(failure.value)
    assert f"type `ssh-add {key}`" in str(failure.value)


def test_a_passphrase_is_asked_for_by_ssh_askpass_where_there_is_no_terminal(
    server: SshServer, connect: Connect, tmp_path: Path
) -> None:
    key = authorized(server, tmp_path, passphrase=PASSPHRASE)
    program = tmp_path / "ask"
    program.write_text(f"#!/bin/sh\necho '{PASSPHRASE}'\n")
    program.chmod(0o755)
    environment = {"PATH": os.environ["PATH"], "SSH_ASKPASS": str(program), "DISPLAY": ":9"}
    connect(config(server), caller=ScriptedCaller(environment=environment), identity=str(key))


def test_in_batch_mode_nothing_is_asked(server: SshServer, tmp_path: Path) -> None:
    key = authorized(server, tmp_path, passphrase=PASSPHRASE)
    asked = ScriptedCaller([PASSPHRASE])
    with pytest.raises(ConnectError, match="needs its passphrase"):
        connected(driver(config(server, "BatchMode yes"), identity=str(key)), asked)
    assert asked.asked == []
