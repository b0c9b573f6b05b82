"""The kinds of SSH server that the tests of the ssh driver run over, and what a test says that needs one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dropbear import Dropbear, User
from tests.ssh_server import SshServer
from tests.sshd import Sshd

KINDS = ("sshd", "dropbear")

FEATURES = {
    "banner": ("Banner", "-b"),
    "command": ("ForceCommand", "-c"),
    "keepalive": ("ClientAliveInterval", "-K"),
    "tries": ("MaxAuthTries", "-T"),
}
"""What a server of each kind can be told: the keyword of sshd_config(5), and the option of dropbear(8)."""


def sshd_alone(why: str) -> pytest.MarkDecorator:
    """For a test of `why`, which dropbear does not have."""
    return pytest.mark.parametrize("server_kind", [pytest.param("sshd", id=f"sshd alone has {why}")], indirect=True)


def make_sshd(directory: Path, *lines: str, **features: object) -> SshServer:
    """One that is not started, with these lines of configuration."""
    return Sshd(directory, [*lines, *(f"{FEATURES[name][0]} {value}" for name, value in features.items())])


def make_dropbear(directory: Path, user: User, **features: object) -> SshServer:
    """One that is not started."""
    options = [(FEATURES[name][1], str(value)) for name, value in features.items()]
    return Dropbear(directory, user, [word for pair in options for word in pair])
