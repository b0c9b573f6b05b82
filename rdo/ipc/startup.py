"""What a client and the control master that it starts agree on, beside the socket. Pure."""

READY_FD = 3
"""Where a master reports to the client that starts it: LISTENS, or else in a line why it cannot."""

LISTENS = b"\0"

ENTRY = "from rdo.master.daemon import main; main()"
"""What the command line of each master has, of whichever release: by this it is known."""


def log_path(path: str) -> str:
    """The log of the master that listens at `path`: its stderr."""
    return path + ".log"


def lock_path(path: str) -> str:
    """What is locked to start a master that listens at `path`, or to clear away what one has left."""
    return path + ".lock"
