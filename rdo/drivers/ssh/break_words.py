"""The message for an error that ended an SSH connection, whatever a server may cause."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from paramiko.ssh_exception import SSHException

from rdo.drivers.ssh.fields import DISPLAY_LIMIT, Violation, words
from rdo.drivers.ssh.kex_offer import NoCommonAlgorithm
from rdo.fscodec import fsencode
from rdo.util import log

FORESEEN = (EOFError, OSError, Violation, NoCommonAlgorithm, SSHException, InvalidTag)
"""The errors that a server or the network can cause, as far as we know."""


def is_unforeseen(error: Exception) -> bool:
    """Whether the error is more likely a bug in rdo or in a library."""
    return not isinstance(error, FORESEEN)


def words_for(error: Exception, kind: int) -> str:
    """The message for an error that occurred while message `kind` was read; empty if the connection just ended."""
    if isinstance(error, EOFError | OSError):
        return ""
    if isinstance(error, Violation | NoCommonAlgorithm | SSHException):
        return words(fsencode(str(error)), DISPLAY_LIMIT)
    if isinstance(error, InvalidTag):
        return "it sent a packet that was modified in transit"
    if isinstance(error, MemoryError | RecursionError):
        return f"internal error in the control master: {log.words(error)}"
    return f"it sent an invalid message (number {kind})"
