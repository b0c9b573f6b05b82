"""What a client and the control master that it starts agree on, besides the socket. Pure."""

READY_FD = 3
"""The descriptor on which a master reports to the client that started it: LISTENS, or a line that says why it
cannot."""

LISTENS = b"\0"

ENTRY = "from rdo.master.daemon import main; main()"
"""The words that the command line of every master has, whatever its release, so that one can be recognised."""


def log_path(path: str) -> str:
    """The log of the master that listens at `path`, which is its stderr."""
    return path + ".log"


def lock_path(path: str) -> str:
    """The file that is locked while a master that listens at `path` is started, or what an earlier one left is
    removed."""
    return path + ".lock"
