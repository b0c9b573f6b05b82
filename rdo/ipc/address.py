"""Where a master's control socket is: the runtime directory, and the socket's name in it.

Access to the directory is the only protection: whoever can enter it can run commands as its owner. So it is checked at
every use.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping

from rdo.errors import SetupError, reason
from rdo.fscodec import fsencode

SOCKET_PATH_LIMIT = 103
"""Bytes of a socket's path: sun_path holds 104 on macOS and the BSDs, with the NUL at the end."""

RUNTIME_DIR_HINT = "free disk space or fix its permissions, or set XDG_RUNTIME_DIR to another directory of yours"

HINTS = {
    errno.EMFILE: "`ulimit -n 64` or more",
    errno.ENFILE: "close other programs",
    errno.EAGAIN: "end other processes of yours, or raise `ulimit -u`",  # of fork(2)
    errno.ENOMEM: "close other programs",
}
"""What to do about a lack of something, when the directory itself is not at fault."""

SOCKET = "control"
"""The name of the socket of a user's control master."""

OTHER_SOCKET = SOCKET + "-"
"""Prefix of the names of further sockets, for callers that this master cannot serve; see rdo/master/admission.py."""


def runtime_directory(environ: Mapping[str, str]) -> str:
    """The private directory for this user's control sockets, created if missing.

    Raises SetupError if it belongs to someone else, is a link, or can be entered by others.
    """
    base = environ.get("XDG_RUNTIME_DIR", "")
    if base.startswith("/") and len(fsencode(base)) < SOCKET_PATH_LIMIT - len("/rdo/control-0123456789abcdef.1234567"):
        try:
            info = os.stat(base)
            if info.st_uid == os.geteuid() and not info.st_mode & 0o022:
                return _private(base + "/rdo")
        except OSError:
            pass
        # The variable may name a stale directory, as after `su`, or one that others can write to: then use the default
        # one.
    return _private(f"/tmp/rdo-{os.geteuid()}")


def hint_for(error: OSError) -> str:
    """What to do when a control master in the directory could not be started or reached."""
    return HINTS.get(error.errno or 0, RUNTIME_DIR_HINT)


def _private(directory: str) -> str:
    for _ in range(2):
        try:
            info = os.lstat(directory)
            break
        except FileNotFoundError:
            _make(directory)
    else:
        raise SetupError(f"cannot create the runtime directory `{directory}`", "it keeps disappearing", "try again")
    if not stat.S_ISDIR(info.st_mode):
        raise SetupError(f"the runtime directory `{directory}` is not a directory", "", "remove it")
    if info.st_uid != os.geteuid():
        raise SetupError(
            f"the runtime directory `{directory}` belongs to another user", f"uid {info.st_uid}", "remove it"
        )
    if info.st_mode & 0o077:
        raise SetupError(f"the runtime directory `{directory}` is open to others", "", f"`chmod 700 {directory}`")
    return directory


def _make(directory: str) -> None:
    try:
        os.mkdir(directory, 0o700)
        os.chmod(directory, 0o700)  # regardless of the umask
    except FileExistsError:
        pass
    except OSError as error:
        raise SetupError(f"cannot create the runtime directory `{directory}`", reason(error), hint_for(error)) from None


def socket_path(directory: str, name: str = SOCKET) -> str:
    """Where the control master listens; `name` is that of another socket, if a master has referred the client to it.
    Raises SetupError."""
    if name != SOCKET and not (name.startswith(OTHER_SOCKET) and name[len(OTHER_SOCKET) :].isalnum()):
        raise SetupError(
            "the control master violated the protocol", f"it named the socket {name!r}", "`rdoctl stop --all`"
        )
    return f"{directory}/{name}"
