"""Tests for algorithms that the user's ssh configuration allows: where ssh refuses a server because of them, so does
rdo.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rdo.errors import ConnectError
from tests.connecting import connected
from tests.integration.conftest import Connect
from tests.login_keys import rsa_key
from tests.ssh_client import ScriptedCaller, driver, output
from tests.ssh_refusal import keygen, refusal, ssh_connects
from tests.sshd import Sshd


@pytest.mark.parametrize("option", ["Ciphers", "MACs", "KexAlgorithms", "HostKeyAlgorithms"])
def test_a_list_from_which_everything_is_removed_allows_nothing(option: str, sshd: Sshd) -> None:
    extra = [f"{option} -*", *(["Ciphers aes128-ctr"] if option == "MACs" else [])]
    assert "allows none at all" in refusal(sshd.ssh_config(extra=extra, name="emptied"), sshd)


def test_no_key_is_used_if_no_algorithm_for_keys_is_left(sshd: Sshd) -> None:
    config = sshd.ssh_config(extra=["PubkeyAcceptedAlgorithms -*"], name="emptied")
    assert not ssh_connects(config)
    with pytest.raises(ConnectError, match="PubkeyAcceptedAlgorithms has no algorithm for it"):
        connected(driver(config), ScriptedCaller())


@pytest.mark.parametrize(
    ("server_side", "client_side"),
    [
        ("Ciphers aes128-ctr", "Ciphers aes256-gcm@openssh.com"),
        ("MACs hmac-sha1\nCiphers aes128-ctr", "MACs hmac-sha2-256"),
        ("KexAlgorithms diffie-hellman-group14-sha256", "KexAlgorithms curve25519-sha256"),
        ("HostKeyAlgorithms ssh-ed25519", "HostKeyAlgorithms ecdsa-sha2-nistp256"),
    ],
    ids=["cipher", "MAC", "key exchange", "host key"],
)
def test_a_server_that_needs_an_algorithm_that_is_not_allowed_is_refused(
    server_side: str, client_side: str, own_sshd: Callable[..., Sshd]
) -> None:
    with own_sshd(*server_side.split("\n")) as server:
        refusal(server.ssh_config(extra=[client_side]), server)


@pytest.mark.parametrize(
    ("option", "value"),
    [("Ciphers", "chacha20-poly1305@openssh.com"), ("KexAlgorithms", "sntrup761x25519-sha512@openssh.com")],
)
def test_a_configuration_that_allows_only_what_rdo_cannot_do_is_refused_by_name(
    option: str, value: str, sshd: Sshd
) -> None:
    with pytest.raises(ConnectError, match=f"rdo supports none of the {option} of this host: .*{value}"):
        connected(driver(sshd.ssh_config(extra=[f"{option} {value}"], name="odd")), ScriptedCaller())


def test_what_is_agreed_on_is_what_the_user_allows(sshd: Sshd, connect: Connect) -> None:
    lines = ["Ciphers aes256-ctr", "MACs hmac-sha2-512"]
    transport = connect(sshd.ssh_config(extra=lines, name="strict"))._transport
    assert (transport.local_cipher, transport.local_mac) == ("aes256-ctr", "hmac-sha2-512")


def test_sha1_signatures_of_old_servers_are_accepted_only_if_they_are_named(
    own_sshd: Callable[..., Sshd], connect: Connect, tmp_path: Path
) -> None:
    server = own_sshd("HostKeyAlgorithms ssh-rsa")
    server.host_keys = [rsa_key(tmp_path / "host")]
    server.trust()
    with server:
        refusal(server.ssh_config(), server)
        assert output(connect(server.ssh_config(extra=["HostKeyAlgorithms +ssh-rsa"], name="old")), "echo in") == (
            0,
            "in\n",
        )


def test_a_host_key_that_is_too_short_is_refused(own_sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    server = own_sshd()
    server.host_keys = [tmp_path / "host"]
    keygen("-t", "rsa", "-b", 2048, "-N", "", "-f", tmp_path / "host")
    server.trust()
    with server:
        text = refusal(server.ssh_config(extra=["RequiredRSASize 3072"]), server)
        assert "RSA with 2048 bits, and RequiredRSASize is 3072" in text
