"""Tests for host keys: which are recorded, which the user is asked about, and which are refused before the login."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from rdo.errors import ConnectError
from tests.connecting import connected
from tests.integration.conftest import Connect
from tests.keys import make_key
from tests.ssh_client import ScriptedCaller, driver
from tests.ssh_server import SshServer


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """The path of a known_hosts file in a directory; neither exists yet."""
    return tmp_path / "home" / "known_hosts"


def config(server: SshServer, known: Path, *lines: str) -> Path:
    extra = [f'UserKnownHostsFile "{known}"', *lines, "HashKnownHosts no"]
    return server.ssh_config(extra=extra, name="host_key_config")


def public(key: Path) -> str:
    return " ".join(key.with_name(f"{key.name}.pub").read_text().split()[:2])


def fingerprint(key: Path) -> str:
    command = ["ssh-keygen", "-l", "-f", f"{key}.pub"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[1]


def name(server: SshServer) -> str:
    return f"[127.0.0.1]:{server.port}"


def write(known: Path, *lines: str) -> None:
    known.parent.mkdir(exist_ok=True)
    known.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("policy", ["accept-new", "no"])
def test_a_new_key_is_recorded_if_the_policy_allows_it(
    policy: str, server: SshServer, connect: Connect, caller: ScriptedCaller, known: Path
) -> None:
    connect(config(server, known, f"StrictHostKeyChecking {policy}"))
    assert known.read_text() == f"{name(server)} {public(server.host_keys[0])}\n"
    assert stat.S_IMODE(known.stat().st_mode) == 0o600
    assert stat.S_IMODE(known.parent.stat().st_mode) == 0o700
    assert caller.told == [f"rdo: permanently added '{name(server)}' (ED25519) to the list of known hosts"]


def test_a_recorded_key_is_known_to_rdo_and_to_ssh_the_next_time(
    server: SshServer, connect: Connect, caller: ScriptedCaller, known: Path
) -> None:
    connect(config(server, known, "StrictHostKeyChecking accept-new", "HashKnownHosts yes"))
    assert known.read_text().startswith("|1|")
    strict = config(server, known, "StrictHostKeyChecking yes")
    connect(strict)
    subprocess.run(["ssh", "-F", str(strict), "devbox", "true"], check=True, stdin=subprocess.DEVNULL)
    assert len(caller.told) == 1


@pytest.mark.parametrize("answer", ["yes", "the fingerprint"])
def test_a_new_key_is_asked_about(answer: str, server: SshServer, connect: Connect, known: Path) -> None:
    shown = fingerprint(server.host_keys[0])
    asked = ScriptedCaller(["what?", shown if answer == "the fingerprint" else answer])
    connect(config(server, known), caller=asked)
    question, echo = asked.asked[0]
    assert f"ED25519 key fingerprint is {shown}." in question
    assert echo
    assert known.exists()


@pytest.mark.parametrize("answers", [[], ["no"], ["SHA256:wrong"] * 3])
def test_a_new_key_that_is_not_accepted_is_refused_before_the_login(
    answers: list[str], server: SshServer, known: Path
) -> None:
    before = server.logins
    with pytest.raises(ConnectError, match="is not known"):
        connected(driver(config(server, known)), ScriptedCaller(answers))
    assert server.logins == before
    assert not known.exists()


def test_a_strict_policy_refuses_a_new_key_without_asking(server: SshServer, known: Path) -> None:
    asked = ScriptedCaller(["yes"])
    with pytest.raises(ConnectError, match="StrictHostKeyChecking is on"):
        connected(driver(config(server, known, "StrictHostKeyChecking yes")), asked)
    assert asked.asked == []


@pytest.mark.parametrize("policy", ["ask", "accept-new", "no"])
def test_a_changed_key_is_refused_under_every_policy(
    policy: str, server: SshServer, known: Path, tmp_path: Path
) -> None:
    other = make_key(tmp_path / "other")
    write(known, "# comment", f"{name(server)} {public(other)}")
    accepted = server.logins
    with pytest.raises(ConnectError) as failure:
        connected(driver(config(server, known, f"StrictHostKeyChecking {policy}")), ScriptedCaller(["yes"]))
    text = str(failure.value)
    assert f"it is ED25519 {fingerprint(server.host_keys[0])}" in text
    assert f"known_hosts has ED25519 {fingerprint(other)} ({known}:2)" in text
    assert f"`ssh-keygen -f {known} -R '{name(server)}'`" in text
    assert server.logins == accepted


def test_the_known_type_of_key_is_preferred(server: SshServer, connect: Connect, known: Path) -> None:
    write(known, f"{name(server)} {public(server.host_keys[1])}")
    connect(config(server, known, "StrictHostKeyChecking yes"))


def test_a_revoked_key_is_refused(server: SshServer, known: Path) -> None:
    key = public(server.host_keys[0])
    write(known, f"{name(server)} {key}", f"@revoked * {key}")
    with pytest.raises(ConnectError, match="is revoked"):
        connected(driver(config(server, known)), ScriptedCaller(["yes"]))


def test_lines_that_paramiko_cannot_read_are_ignored(
    server: SshServer, connect: Connect, known: Path, tmp_path: Path
) -> None:
    authority = public(make_key(tmp_path / "ca"))
    write(known, f"@cert-authority * {authority}", "junk", f"{name(server)} {public(server.host_keys[0])}")
    connect(config(server, known, "StrictHostKeyChecking yes"))


def test_a_key_is_looked_up_under_its_alias(server: SshServer, connect: Connect, known: Path) -> None:
    write(known, f"vm-1 {public(server.host_keys[0])}")
    connect(config(server, known, "StrictHostKeyChecking yes", "HostKeyAlias vm-1"))


def test_an_unwritable_file_is_reported_and_the_login_continues(
    server: SshServer, connect: Connect, caller: ScriptedCaller, tmp_path: Path
) -> None:
    connect(config(server, tmp_path, "StrictHostKeyChecking accept-new"))
    assert caller.told == [f"rdo: could not add the host key to {tmp_path}: is a directory"]
