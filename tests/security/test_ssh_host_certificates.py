"""Tests for which host certificates rdo accepts, as ssh does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import Connect
from tests.keys import make_key
from tests.login_keys import rsa_key
from tests.ssh_client import output
from tests.ssh_refusal import STRICT, keygen, public, refusal, ssh_connects
from tests.sshd import Sshd

CERTIFIED = "ssh-ed25519-cert-v01@openssh.com"

Certified = Callable[..., Sshd]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("authority") / "ca")


@pytest.fixture
def certified(own_sshd: Callable[..., Sshd], authority: Path) -> Certified:
    """A server with a certificate by the authority, signed with these options of ssh-keygen."""

    def make(*words: object) -> Sshd:
        server = own_sshd()
        names = [] if "-n" in words else ["-n", "127.0.0.1"]
        keygen("-s", authority, "-I", "the host", "-h", *names, *words, f"{server.host_keys[0]}.pub")
        server.config_lines = [f"HostCertificate {server.host_keys[0]}-cert.pub"]
        server.known_hosts.write_text(f"@cert-authority * {public(authority)}\n")
        return server.start()

    return make


def test_a_certificate_by_a_known_authority_is_trusted(certified: Certified, connect: Connect) -> None:
    server = certified()
    config = server.ssh_config(extra=[STRICT])
    assert ssh_connects(config)
    assert output(connect(config), "echo in") == (0, "in\n")
    assert server.known_hosts.read_text().count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["-n", "elsewhere"],
        ["-V", "20200101:20200102"],
        ["-O", "critical:odd@example.com=1"],
    ],
    ids=["another host's", "expired", "with an unknown critical option"],
)
def test_an_invalid_certificate_is_refused(words: list[str], certified: Certified) -> None:
    server = certified(*words)
    assert "is not known" in refusal(server.ssh_config(extra=[STRICT]), server)


def test_a_certificate_by_an_unknown_authority_is_refused(certified: Certified, tmp_path: Path) -> None:
    server = certified()
    server.known_hosts.write_text(f"@cert-authority * {public(make_key(tmp_path / 'wrong'))}\n")
    assert "is not known" in refusal(server.ssh_config(extra=[STRICT]), server)


def test_an_authority_for_other_hosts_is_not_one_for_this_host(certified: Certified, authority: Path) -> None:
    server = certified()
    server.known_hosts.write_text(f"@cert-authority *.example.com {public(authority)}\n")
    assert "is not known" in refusal(server.ssh_config(extra=[STRICT]), server)


@pytest.mark.parametrize("how", ["@revoked authority", "@revoked key", "RevokedHostKeys", "serial number"])
def test_a_revoked_key_is_refused_in_spite_of_a_certificate(
    how: str, certified: Certified, authority: Path, tmp_path: Path
) -> None:
    server = certified("-z", 7)
    extra = [STRICT]
    if how.startswith("@revoked"):
        key = authority if how.endswith("authority") else server.host_keys[0]
        with server.known_hosts.open("a") as file:
            file.write(f"@revoked * {public(key)}\n")
    elif how == "RevokedHostKeys":
        extra.append(f"RevokedHostKeys {authority}.pub")
    else:
        (tmp_path / "spec").write_text("serial: 5-9\n")
        keygen("-k", "-f", tmp_path / "krl", "-s", f"{authority}.pub", tmp_path / "spec")
        extra.append(f"RevokedHostKeys {tmp_path / 'krl'}")
    assert "is revoked" in refusal(server.ssh_config(extra=extra), server)


def test_a_disallowed_signature_of_an_authority_is_refused(certified: Certified) -> None:
    server = certified()
    config = server.ssh_config(extra=[STRICT, "CASignatureAlgorithms rsa-sha2-512"])
    assert "is not known" in refusal(config, server)


def test_without_an_allowed_algorithm_no_signature_of_an_authority_is_accepted(certified: Certified) -> None:
    server = certified()
    assert "is not known" in refusal(server.ssh_config(extra=[STRICT, "CASignatureAlgorithms -*"]), server)


def test_an_authority_that_signs_with_sha1_is_accepted_only_if_that_is_named(
    own_sshd: Callable[..., Sshd], connect: Connect, tmp_path: Path
) -> None:
    server, old = own_sshd(), rsa_key(tmp_path / "old")
    keygen("-t", "ssh-rsa", "-s", old, "-I", "x", "-h", "-n", "127.0.0.1", f"{server.host_keys[0]}.pub")
    server.config_lines = [f"HostCertificate {server.host_keys[0]}-cert.pub"]
    server.known_hosts.write_text(f"@cert-authority * {public(old)}\n")
    with server:
        assert "is not known" in refusal(server.ssh_config(extra=[STRICT]), server)
        connect(server.ssh_config(extra=[STRICT, "CASignatureAlgorithms +ssh-rsa"], name="old"))


def test_a_known_key_in_an_invalid_certificate_is_accepted(certified: Certified, connect: Connect) -> None:
    server = certified()
    server.trust()
    config = server.ssh_config(extra=[STRICT, "HostKeyAlgorithms *-cert-v01@openssh.com"])
    assert ssh_connects(config)
    connect(config)


def test_certificates_are_not_accepted_if_the_user_allows_none(certified: Certified) -> None:
    server = certified()
    assert "is not known" in refusal(server.ssh_config(extra=[STRICT, f"HostKeyAlgorithms -{CERTIFIED}"]), server)
