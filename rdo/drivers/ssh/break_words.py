"""What to say of an error that ended an SSH connection, whatever it is that a server can bring about."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from paramiko.ssh_exception import SSHException

from rdo.drivers.ssh.fields import DISPLAY_LIMIT, Violation, words
from rdo.drivers.ssh.kex_offer import NoCommonAlgorithm
from rdo.fscodec import fsencode
from rdo.util import log

FORESEEN = (EOFError, OSError, Violation, NoCommonAlgorithm, SSHException, InvalidTag)
"""What a server or the network brings about, as far as we know."""


def is_unforeseen(error: Exception) -> bool:
    """Whether it is rather a fault of ours, or of a library's."""
    return not isinstance(error, FORESEEN)


def words_for(error: Exception, kind: int) -> str:
    """What to say of an error while message `kind` was read; nothing of a connection that just ended."""
    if isinstance(error, EOFError | OSError):
        return ""
    if isinstance(error, Violation | NoCommonAlgorithm | SSHException):
        return words(fsencode(str(error)), DISPLAY_LIMIT)
    if isinstance(error, InvalidTag):
        return "it sent a packet that was modified in transit"
    if isinstance(error, MemoryError | RecursionError):
        return f"internal error in the control master: {log.words(error)}"
    return f"it sent an invalid message (number {kind})"
