"""Tests for which servers the user's ssh configuration trusts: where ssh refuses one, so does rdo, before the login."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rdo.errors import ConnectError
from tests.connecting import connected
from tests.integration.conftest import Connect
from tests.keys import make_key
from tests.login_keys import rsa_key
from tests.ssh_client import ScriptedCaller, driver
from tests.ssh_refusal import STRICT, keygen, public, refusal
from tests.sshd import Sshd

ALONE = {"PATH": "/nonexistent"}
"""The environment of a caller without an ssh program."""


def revoked_by(form: str, directory: Path, server: Sshd) -> Path:
    """A file that revokes the server's keys, in the given form."""
    names = [f"{key}.pub" for key in server.host_keys]
    path = directory / "revoked keys"
    if form == "list":
        path.write_text("# stolen\n" + "".join(Path(name).read_text() for name in names))
    else:
        (directory / "spec").write_text("".join(f"{form}: {Path(name).read_text()}" for name in names))
        keygen("-k", "-f", path, directory / "spec")
    return path


@pytest.mark.parametrize("policy", ["yes", "no"])
@pytest.mark.parametrize("form", ["list", "key", "sha1"])
def test_a_key_in_revoked_host_keys_is_refused(form: str, policy: str, sshd: Sshd, tmp_path: Path) -> None:
    path = revoked_by(form, tmp_path, sshd)
    config = sshd.ssh_config(extra=[f'RevokedHostKeys "{path}"', f"StrictHostKeyChecking {policy}"], name="revoked")
    assert f"by `{path}` (RevokedHostKeys)" in refusal(config, sshd, "yes")


@pytest.mark.parametrize("content", [None, "junk\n", "SSHKRL\n\0junk"], ids=["missing", "junk", "half a KRL"])
def test_revoked_host_keys_that_cannot_be_checked_forbid_the_connection(
    content: str | None, sshd: Sshd, tmp_path: Path
) -> None:
    path = tmp_path / "revoked"
    if content is not None:
        path.write_text(content)
    config = sshd.ssh_config(extra=[f"RevokedHostKeys {path}"], name="revoked")
    assert "(RevokedHostKeys)" in refusal(config, sshd)


def test_revoked_host_keys_that_name_another_key_allow_it(sshd: Sshd, connect: Connect, tmp_path: Path) -> None:
    path = make_key(tmp_path / "other").with_suffix(".pub")
    connect(sshd.ssh_config(extra=[f"RevokedHostKeys {path}"], name="revoked"))


@pytest.mark.parametrize("option", ["RevokedHostKeys", "RequiredRSASize"])
def test_revoked_host_keys_apply_to_this_machine_too(
    option: str, own_sshd: Callable[..., Sshd], tmp_path: Path
) -> None:
    server = own_sshd()
    server.host_keys = [rsa_key(tmp_path / "host")]
    with server:
        value = f"{tmp_path}/host.pub" if option == "RevokedHostKeys" else "8192"
        extra = [f"{option} {value}", "NoHostAuthenticationForLocalhost yes"]
        assert option in refusal(server.ssh_config(extra=extra), server)


@pytest.mark.parametrize("kind", ["ssh-rsa", "SSH-ED25519"])
def test_a_line_whose_key_is_of_another_type_than_it_says_is_ignored(kind: str, sshd: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known"
    known.write_text(f"* {kind} {public(sshd.host_keys[0]).split()[1]}\n")
    config = sshd.ssh_config(extra=[f"UserKnownHostsFile {known}", STRICT], name="mistyped")
    assert "is not known" in refusal(config, sshd)


def test_each_relative_known_hosts_name_is_a_separate_file(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "known").write_text(f"* {public(sshd.host_keys[0])}\n")
    (tmp_path / "revoked").write_text(f"@revoked * {public(sshd.host_keys[0])}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PWD", str(tmp_path))
    config = sshd.ssh_config(extra=["UserKnownHostsFile known revoked"], name="relative")
    assert "is revoked" in refusal(config, sshd)


def test_a_changed_key_of_this_machine_is_ignored_only_if_configured(
    sshd: Sshd, connect: Connect, tmp_path: Path
) -> None:
    other = public(make_key(tmp_path / "other"))
    (tmp_path / "known").write_text(f"[127.0.0.1]:{sshd.port} {other}\n")
    lines = [f"UserKnownHostsFile {tmp_path / 'known'}"]
    assert "has changed" in refusal(sshd.ssh_config(extra=lines, name="local"), sshd)
    connect(sshd.ssh_config(extra=[*lines, "NoHostAuthenticationForLocalhost yes"], name="local"))
    lines.append("HostKeyAlias box")
    (tmp_path / "known").write_text(f"box {other}\n")
    refusal(sshd.ssh_config(extra=[*lines, "NoHostAuthenticationForLocalhost yes"], name="local"), sshd)


def test_an_option_that_cannot_be_ignored_forbids_the_connection(sshd: Sshd) -> None:
    with pytest.raises(ConnectError, match="BindInterface lo: rdo cannot choose an interface"):
        connected(driver(sshd.ssh_config(extra=["BindInterface lo"], name="bound")), ScriptedCaller())


def test_options_without_effect_are_named_in_verbose_output(sshd: Sshd, connect: Connect) -> None:
    caller = ScriptedCaller()
    connect(sshd.ssh_config(extra=["ForwardX11 yes", "EscapeChar ^]"], name="odd"), caller=caller)
    named = [line for line in caller.traced if "ignored in the ssh configuration" in line]
    assert any(line.endswith("ForwardX11 yes: rdo does not forward X11") for line in named)
    assert any("EscapeChar" in line for line in named)
    assert caller.told == []


def test_without_an_ssh_program_revoked_keys_are_still_refused(sshd: Sshd, tmp_path: Path) -> None:
    path = revoked_by("list", tmp_path, sshd)
    config = sshd.ssh_config(extra=[f"RevokedHostKeys {path}"], name="revoked")
    with pytest.raises(ConnectError, match="is revoked"):
        connected(driver(config), ScriptedCaller(environment=ALONE))


@pytest.mark.parametrize("name", ["missing", "two words"])
def test_without_an_ssh_program_a_file_that_cannot_be_read_forbids_it_too(
    name: str, sshd: Sshd, tmp_path: Path
) -> None:
    config = sshd.ssh_config(extra=[f'RevokedHostKeys "{tmp_path / name}"'], name="revoked")
    with pytest.raises(ConnectError, match=r"\(RevokedHostKeys\)"):
        connected(driver(config), ScriptedCaller(environment=ALONE))


def test_without_an_ssh_program_algorithms_and_changes_to_lists_apply(sshd: Sshd, connect: Connect) -> None:
    extra = ["Ciphers -aes128*,aes256-gcm*", "MACs hmac-sha2-512", "HostKeyAlgorithms +ssh-rsa", "CheckHostIP yes"]
    connection = connect(sshd.ssh_config(extra=extra, name="alone"), caller=ScriptedCaller(environment=ALONE))
    assert (connection._transport.local_cipher, connection._transport.local_mac) == ("aes192-ctr", "hmac-sha2-512")
    assert connection.options.algorithms.host_keys
    assert connection.options.algorithms.host_keys[-1] == "ssh-rsa"
