"""Fixtures of the tests of attacks: those of the end-to-end and of the integration tests."""

from tests.e2e.conftest import (
    anywhere,
    containers,
    own,
    own_anywhere,
    project,
    reached,
    server,
    target,
    terminal,
    user_sshd,
    way,
)
from tests.integration.conftest import caller, connect
from tests.login_keys import agent

__all__ = [
    "agent", "anywhere", "caller", "connect", "containers", "own", "own_anywhere", "project", "reached", "server",
    "target", "terminal", "user_sshd", "way",
]  # fmt: skip
