"""Fixtures of the tests of attacks: those of the end-to-end and of the integration tests."""

from tests.e2e.conftest import (
    anywhere,
    containers,
    own,
    own_anywhere,
    project,
    reached,
    server,
    terminal,
    user_sshd,
    way,
)
from tests.integration.conftest import caller, connect

__all__ = [
    "anywhere", "caller", "connect", "containers", "own", "own_anywhere", "project", "reached", "server", "terminal",
    "user_sshd", "way",
]  # fmt: skip
