"""The kinds of SSH server for the tests of the ssh driver, and how a test requests one of them."""

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
"""Options of each kind of server: the keyword of sshd_config(5), and the option of dropbear(8)."""


def sshd_alone(why: str) -> pytest.MarkDecorator:
    """Restricts a test to sshd, because dropbear does not have `why`."""
    return pytest.mark.parametrize("server_kind", [pytest.param("sshd", id=f"sshd alone has {why}")], indirect=True)


def make_sshd(directory: Path, *lines: str, **features: object) -> SshServer:
    """An sshd that is not started, with these lines of configuration."""
    return Sshd(directory, [*lines, *(f"{FEATURES[name][0]} {value}" for name, value in features.items())])


def make_dropbear(directory: Path, user: User, **features: object) -> SshServer:
    """A dropbear that is not started."""
    options = [(FEATURES[name][1], str(value)) for name, value in features.items()]
    return Dropbear(directory, user, [word for pair in options for word in pair])
