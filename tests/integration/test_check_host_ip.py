"""Tests for CheckHostIP: a key that is known for the host, while another one is known for its address."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from rdo.drivers.ssh.fields import string
from rdo.drivers.ssh.host_key import HostKeyCheck
from rdo.drivers.ssh.known_hosts import HostKey
from rdo.drivers.ssh.options import SshOptions
from rdo.errors import ConnectError
from tests.ssh_client import ScriptedCaller

ADDRESS = "192.0.2.7"


def key(content: bytes) -> HostKey:
    return HostKey("ssh-ed25519", string(b"ssh-ed25519") + string(content))


KEY, OTHER = key(b"k" * 32), key(b"o" * 32)


def line(name: str, host_key: HostKey) -> str:
    return f"{name} {host_key.kind} {base64.b64encode(host_key.blob).decode()}\n"


def check(known: Path, caller: ScriptedCaller, address: str = ADDRESS, **options: Any) -> None:
    made = SshOptions("devbox", "devbox", 22, "me", known_hosts=(str(known),), check_host_ip=True)
    HostKeyCheck(made._replace(**options), caller, address).check(KEY)


@pytest.mark.parametrize("policy", ["yes", "ask", "accept-new"])
def test_another_key_at_the_address_is_refused(policy: str, tmp_path: Path) -> None:
    known = tmp_path / "known"
    known.write_text(line("devbox", KEY) + line(ADDRESS, OTHER))
    with pytest.raises(ConnectError, match=f"differs from the key for its address `{ADDRESS}`: .*known:2"):
        check(known, ScriptedCaller(), strict_host_key_checking=policy)


def test_it_is_only_reported_if_keys_are_not_checked(tmp_path: Path) -> None:
    known = tmp_path / "known"
    known.write_text(line("devbox", KEY) + line(ADDRESS, OTHER))
    caller = ScriptedCaller()
    check(known, caller, strict_host_key_checking="no")
    assert "differs from the key for its address" in caller.told[0]


@pytest.mark.parametrize(
    ("address", "options"),
    [(ADDRESS, {"check_host_ip": False}), ("", {}), ("127.0.0.1", {}), (ADDRESS, {"host_key_alias": "box"})],
    ids=["turned off", "behind a proxy", "this machine", "by its alias"],
)
def test_in_other_cases_the_address_is_not_checked(address: str, options: dict[str, object], tmp_path: Path) -> None:
    known = tmp_path / "known"
    known.write_text(line("devbox,box", KEY) + line(f"{ADDRESS},127.0.0.1", OTHER))
    check(known, ScriptedCaller(), address, **options)


def test_a_new_key_is_recorded_for_the_address_too(tmp_path: Path) -> None:
    known = tmp_path / "known"
    check(known, ScriptedCaller(), strict_host_key_checking="accept-new", port=2222)
    assert known.read_text() == line("[devbox]:2222", KEY) + line(f"[{ADDRESS}]:2222", KEY)
