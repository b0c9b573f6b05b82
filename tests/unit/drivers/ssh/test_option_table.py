"""Checks that each option that `ssh -G` prints is in the table, and that options that cannot be ignored are refused."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from rdo.drivers.ssh.option_table import RULES, TABLE, Treatment, ignored, refused, rows

DOCS = Path(__file__).parents[4] / "docs" / "ssh-options.md"

ASKING = """
Host *
  IgnoreUnknown ChannelTimeout,Tag,ObscureKeystrokeTiming,VersionAddendum,WarnWeakCrypto
  BindInterface lo
  BindAddress 127.0.0.1
  CertificateFile /c
  ChannelTimeout session=1m
  ControlPath /p
  DynamicForward 1
  HostKeyAlias a
  IdentityAgent /a
  KbdInteractiveDevices pam
  KnownHostsCommand /bin/true
  LocalCommand true
  LocalForward 1 a:1
  ObscureKeystrokeTiming yes
  PKCS11Provider /p
  PreferredAuthentications publickey
  ProxyCommand true
  RemoteCommand true
  RemoteForward 1 a:1
  RevokedHostKeys /r
  SendEnv A
  SetEnv B=c
  Tag t
  UserKnownHostsFile /u
  VersionAddendum v
  WarnWeakCrypto yes
"""
"""The options that `ssh -G` prints only if they are set."""

LATER = {
    "channeltimeout",
    "gssapidelegatecredentials",
    "obscurekeystroketiming",
    "refuseconnection",
    "tag",
    "versionaddendum",
    "warnweakcrypto",
}
"""Further options of OpenSSH 9.3 to 10.5."""


@pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh is not installed")
@pytest.mark.parametrize("text", ["", ASKING, "Host *\n  ProxyJump j\n"], ids=["defaults", "all set", "a jump host"])
def test_each_option_that_the_installed_ssh_prints_is_in_the_table(text: str, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(text)
    answer = subprocess.run(["ssh", "-G", "-T", "-F", str(config), "box"], capture_output=True, text=True, check=True)
    printed = {line.partition(" ")[0].lower() for line in answer.stdout.split("\n") if line}
    assert printed - RULES.keys() == set()


def test_options_of_later_releases_are_in_the_table() -> None:
    assert LATER - RULES.keys() == set()


def test_no_option_is_in_the_table_twice() -> None:
    assert len(RULES) == len(TABLE)


def test_an_option_that_is_not_honoured_has_a_reason() -> None:
    assert [rule.name for rule in TABLE if rule.treatment is not Treatment.HONOURED and not rule.what] == []


def test_the_table_in_the_documentation_is_up_to_date() -> None:
    text = DOCS.read_text()
    assert [line for line in text.split("\n") if line.startswith("| ")][1:] == rows(), "\n".join(rows())


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("forwardx11", "yes", "ForwardX11 yes: rdo does not forward X11"),
        ("forwardx11", "no", None),
        ("forwardx11trusted", "yes", None),
        ("localforward", "1 [a]:1", None),
        ("remoteforward", "1 [a]:1", None),
        ("remoteforward", "1 [socks]:0", None),
        ("futureoption", "on", "futureoption on: rdo does not know this option of ssh"),
        ("hostname", "h", None),
    ],
)
def test_options_without_effect_are_named(key: str, value: str, line: str | None) -> None:
    assert list(ignored({key: [value]})) == ([line] if line else [])


def test_options_that_cannot_be_ignored_are_refused() -> None:
    assert list(refused({"bindinterface": ["wg0"], "user": ["u"], "unknown": ["x"]})) == [
        "BindInterface wg0: rdo cannot choose an interface: set BindAddress"
    ]
    assert list(refused({"bindinterface": ["none"]})) == []
