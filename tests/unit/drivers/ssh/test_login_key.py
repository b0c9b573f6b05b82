"""Tests for which ssh options decide whether commands can share a connection."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from rdo.config.forwards import ForwardSet
from rdo.drivers.ssh.options import SshOptions, login_details, login_key
from rdo.drivers.ssh.tokens import Tokens

OPTIONS = SshOptions("devbox", "10.0.0.5", 22, "me", identity_agent="/run/agent")


@pytest.mark.parametrize("change", [
    {"host": "alias"}, {"forwards": ForwardSet(is_required=True)},
    {"send_env": ("LANG",)}, {"set_env": MappingProxyType({"A": "b"})}, {"quiet": True},
    {"password_prompts": 1}, {"connect_timeout": 3.0}, {"batch": True}, {"ignored": ("x",)}, {"copy_command": "x"},
    {"tokens": Tokens(original="alias")},
])  # fmt: skip
def test_options_of_a_command_or_of_the_login_itself_do_not_matter(change: dict[str, Any]) -> None:
    assert login_key(OPTIONS._replace(**change)) == login_key(OPTIONS)
    assert hash(login_key(OPTIONS._replace(**change)))


@pytest.mark.parametrize("change", [
    {"hostname": "10.0.0.6"}, {"port": 2222}, {"user": "root"}, {"identity_files": ("/key",)},
    {"identity_agent": "/run/other"}, {"forward_agent": "/run/agent"}, {"proxy_jump": "gate"},
    {"proxy_command": "nc gate"}, {"revoked_host_keys": ("/krl",)}, {"strict_host_key_checking": "no"},
    {"known_hosts": ("/hosts",)}, {"known_hosts_command": "hosts"}, {"local_command": "true"},
])  # fmt: skip
def test_options_that_change_the_destination_or_trust_matter(change: dict[str, Any]) -> None:
    assert login_key(OPTIONS._replace(**change)) != login_key(OPTIONS)


def test_options_with_tokens_that_are_expanded_later_matter() -> None:
    one, other = (OPTIONS._replace(known_hosts_command="c", tokens=Tokens(original=name)) for name in ("a", "b"))
    assert login_key(one) != login_key(other)


def test_the_parts_that_can_be_shown_have_names() -> None:
    details = login_details(OPTIONS._replace(identity_agent="/run/agent"))
    assert (details["identity agent"], details["port"]) == ("/run/agent", str(OPTIONS.port))
    assert "algorithms" not in details
