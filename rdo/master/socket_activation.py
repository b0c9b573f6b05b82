"""The listening socket that systemd or launchd has created and passes to the control master when starting it.

See sd_listen_fds(3) and launch_activate_socket(3). Unused if a client starts the master.
"""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import MutableMapping

from rdo.errors import SetupError
from rdo.fscodec import fsdecode

FIRST_DESCRIPTOR = 3
"""SD_LISTEN_FDS_START: the first descriptor that systemd passes."""

SYSTEMD_ENV_VARS = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID")
"""Variables in which systemd describes the descriptors. They are for this process alone, not for its children."""

LAUNCHD_LABEL = "rdo.control"
"""The label of the launchd agent."""

LAUNCHD_ENV_VAR = "XPC_SERVICE_NAME"
"""The variable in which launchd passes the label."""

LAUNCHD_SOCKET = "control"
"""The name of the socket in the agent's plist."""

HINT = "`rdoctl service uninstall`, then install it again"


def inherited_listener(
    path: str, environ: MutableMapping[str, str], library: str | None = None
) -> socket.socket | None:
    """The socket that listens at `path`, passed to this process; None if a client has started it.

    Variables meant for this process alone are removed from `environ`. `library` is the library with launchd's function,
    by default the C library. Raises SetupError if a different socket was passed.
    """
    descriptors = systemd_descriptors(environ, os.getpid())
    if not descriptors and environ.get(LAUNCHD_ENV_VAR) == LAUNCHD_LABEL:
        descriptors = _launchd_descriptors(library)
    if not descriptors:
        return None
    listener = socket.socket(fileno=descriptors[0])
    listener.set_inheritable(False)
    place = listener.getsockname() if listener.family == socket.AF_UNIX else b""
    if not _listens(listener) or (fsdecode(place) if isinstance(place, bytes) else place) != path:
        listener.detach()
        raise SetupError("the control master was given another socket", f"it is to listen at `{path}`", HINT)
    return listener


def systemd_descriptors(environ: MutableMapping[str, str], pid: int) -> list[int]:
    """The descriptors that systemd has passed to the process of this number."""
    given = [environ.pop(name, "") for name in SYSTEMD_ENV_VARS]
    if given[0] != str(pid) or not given[1].isdecimal():
        return []
    return list(range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + int(given[1])))


def _launchd_descriptors(library: str | None) -> list[int]:
    """The descriptors that launchd has for the agent; none if it could not create them, as when the directory was
    missing."""
    functions = ctypes.CDLL(library)
    found, count = ctypes.POINTER(ctypes.c_int)(), ctypes.c_size_t()
    error: int = functions.launch_activate_socket(LAUNCHD_SOCKET.encode(), ctypes.byref(found), ctypes.byref(count))
    if error:
        return []
    try:
        return found[: count.value]
    finally:
        functions.free(ctypes.cast(found, ctypes.c_void_p))


def _listens(listener: socket.socket) -> bool:
    is_stream = listener.family == socket.AF_UNIX and listener.type == socket.SOCK_STREAM
    return is_stream and bool(listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
