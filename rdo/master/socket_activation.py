"""The listening socket that systemd or launchd has made and hands to the control master as it starts it.

See sd_listen_fds(3) and launch_activate_socket(3). Nothing here is needed where a client starts the master.
"""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import MutableMapping

from rdo.errors import SetupError
from rdo.fscodec import fsdecode

FIRST_DESCRIPTOR = 3
"""SD_LISTEN_FDS_START: the first of those that systemd passes."""

SYSTEMD_ENV_VARS = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID")
"""What systemd says of the descriptors; for this process alone, and not for what it starts."""

LAUNCHD_LABEL = "rdo.control"
"""The agent's name."""

LAUNCHD_ENV_VAR = "XPC_SERVICE_NAME"
"""In which launchd gives it to the process."""

LAUNCHD_SOCKET = "control"
"""The name of the socket in the agent's plist."""

HINT = "`rdoctl service uninstall`, then install it again"


def inherited_listener(
    path: str, environ: MutableMapping[str, str], library: str | None = None
) -> socket.socket | None:
    """The socket that listens at `path` for this process; None where a client has started it.

    `environ` loses what was meant for this process alone. `library` has launchd's function; the C library of macOS
    does. Raises SetupError where another socket was handed over.
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
    """Those that systemd has passed to the process of this number."""
    given = [environ.pop(name, "") for name in SYSTEMD_ENV_VARS]
    if given[0] != str(pid) or not given[1].isdecimal():
        return []
    return list(range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + int(given[1])))


def _launchd_descriptors(library: str | None) -> list[int]:
    """Those that launchd has for the agent; none if it has made none, as where the directory was missing."""
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
