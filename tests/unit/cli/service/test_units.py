"""Tests for the files of `rdoctl service`, by the programs that read them."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

from rdo.cli.service import units
from tests.conftest import require

COMMAND = ["/bin/sh", "-c", """a 'b' "c" \\ $HOME ${HOME} %t %%"""]

TIMEOUT = 30.0


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        require("systemd", "it is not installed")
    for name, text in units.systemd_units(COMMAND).items():
        (tmp_path / name).write_text(text)
    environment = {"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    for name in (units.SOCKET_UNIT, units.SERVICE_UNIT):
        done = subprocess.run(
            ["systemd-analyze", "--user", "--man=no", "verify", str(tmp_path / name)],
            capture_output=True, text=True, timeout=TIMEOUT, check=False, env=environment,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")


def test_only_its_owner_can_use_the_socket() -> None:
    text = units.systemd_units(COMMAND)[units.SOCKET_UNIT]
    assert {"ListenStream=%t/rdo/control", "SocketMode=0600", "DirectoryMode=0700"} < set(text.splitlines())


def test_the_service_is_not_stopped_with_its_socket() -> None:
    text = units.systemd_units(COMMAND)[units.SERVICE_UNIT]
    assert not {"Requires", "BindsTo", "PartOf"} & {line.partition("=")[0] for line in text.splitlines()}


@pytest.mark.parametrize(
    ("word", "written"),
    [("-I", '"-I"'), ("a b", '"a b"'), ('"', '"\\""'), ("\\", '"\\\\"'), ("$A %t", '"$$A %%t"'), ("'", '"\'"')],
)
def test_special_characters_in_a_word_are_escaped_for_systemd(word: str, written: str) -> None:
    assert units.systemd_word(word) == written


def test_the_agent_of_launchd_is_a_property_list_with_a_socket_of_the_owner_s() -> None:
    text = units.launchd_agent("label", "name", COMMAND, "/tmp/rdo-501/control")
    agent = plistlib.loads(text.encode())
    assert agent["ProgramArguments"] == [*COMMAND, "/tmp/rdo-501/control"]
    assert agent["Sockets"] == {
        "name": {"SockPathName": "/tmp/rdo-501/control", "SockPathMode": 0o600, "SockType": "stream"}
    }
    assert (agent["Label"], agent["Umask"]) == ("label", 0o077)
