"""What to say of an error that ended an SSH connection, whatever it is that a server can bring about."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from paramiko.ssh_exception import SSHException

from rdo.drivers.ssh.fields import DISPLAY_LIMIT, Violation, words
from rdo.drivers.ssh.kex_offer import NoCommonAlgorithm
from rdo.fscodec import fsencode


def words_for(error: Exception, kind: int) -> str:
    """What to say of an error while message `kind` was read; nothing of a connection that just ended."""
    if isinstance(error, EOFError | OSError):
        return ""
    if isinstance(error, Violation | NoCommonAlgorithm | SSHException):
        return words(fsencode(str(error)), DISPLAY_LIMIT)
    if isinstance(error, InvalidTag):
        return "it sent a packet that was modified in transit"
    return f"it sent an invalid message (number {kind})"
