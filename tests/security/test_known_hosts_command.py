"""Tests for KnownHostsCommand, which rdo obeys as ssh does."""

from __future__ import annotations

from pathlib import Path

from tests.integration.conftest import Connect
from tests.ssh_refusal import STRICT, public, refusal, ssh_connects
from tests.sshd import Sshd


def commanded(server: Sshd, directory: Path, text: str, status: int = 0) -> list[str]:
    program = directory / "known hosts"
    program.write_text(
        f"#!/bin/sh\nprintf '%s\\n' \"$*\" >>'{directory}/calls'\ncat <<'END'\n{text}\nEND\nexit {status}\n"
    )
    program.chmod(0o755)
    return [f"""KnownHostsCommand "{program}" %I %H %t""", STRICT, "UserKnownHostsFile none"]


def test_a_known_hosts_command_makes_a_key_known(sshd: Sshd, connect: Connect, tmp_path: Path) -> None:
    name = f"[127.0.0.1]:{sshd.port}"
    extra = commanded(sshd, tmp_path, f"{name} {public(sshd.host_keys[1])}")
    connect(sshd.ssh_config(extra=extra, name="commanded"))
    calls = (tmp_path / "calls").read_text().split("\n")
    assert calls[:2] == ["ORDER 127.0.0.1 NONE", f"HOSTNAME {name} ecdsa-sha2-nistp256"]


def test_a_known_hosts_command_gets_the_same_arguments_as_from_ssh(
    sshd: Sshd, connect: Connect, tmp_path: Path
) -> None:
    extra = commanded(sshd, tmp_path, f"* {public(sshd.host_keys[0])}")
    config = sshd.ssh_config(extra=[f"{extra[0]} %f %K %h %p %r %u %n %C %i %L %l %k %% %d", *extra[1:]], name="words")
    assert ssh_connects(config)
    connect(config)
    calls = (tmp_path / "calls").read_text().split("\n")[:4]
    assert calls[2:] == calls[:2]


def test_a_known_hosts_command_with_an_unknown_token_forbids_the_connection(sshd: Sshd) -> None:
    for word in ("%z", "${RDO_TEST_UNSET}"):
        text = refusal(sshd.ssh_config(extra=[f"KnownHostsCommand /bin/true {word}"], name="odd"), sshd)
        assert "has no value" in text


def test_a_known_hosts_command_that_revokes_the_key_is_obeyed(sshd: Sshd, tmp_path: Path) -> None:
    keys = [public(key) for key in sshd.host_keys]
    extra = commanded(
        sshd, tmp_path, "\n".join([*(f"* {key}" for key in keys), *(f"@revoked * {key}" for key in keys)])
    )
    assert "is revoked" in refusal(sshd.ssh_config(extra=extra, name="commanded"), sshd)


def test_a_known_hosts_command_that_fails_forbids_the_connection(sshd: Sshd, tmp_path: Path) -> None:
    extra = commanded(sshd, tmp_path, f"* {public(sshd.host_keys[0])}", status=3)
    assert "failed: status 3" in refusal(sshd.ssh_config(extra=extra, name="commanded"), sshd)
