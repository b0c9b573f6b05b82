"""The local end of a forward that listens: a port on both loopback addresses, or a Unix socket. Connects nothing."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import sys
from collections.abc import Iterator
from typing import NamedTuple

from rdo.config.forwards import EVERYWHERE, Endpoint
from rdo.errors import SetupError, reason

BACKLOG = 512
"""Connections that wait to be accepted. A browser and its tools open many at once."""

PRIVILEGED_SHIFT = 8000
"""The distance by which a port that only root may use is moved: 80 to 8080, 443 to 8443, where such servers often
run."""

MOVES = 100
"""Ports to try after the one requested."""

LAST_PORT = 65535

LOOPBACK = ("127.0.0.1", "::1")

OCCUPIED = {
    errno.EADDRINUSE: "is in use",
    errno.EACCES: "is reserved for root",
    errno.EPERM: "is reserved for root",
}
"""Why a port is not available while another may be."""

OTHER_PORT = "choose another port here, as in `8080:3000`"
FEWER_FILES = "raise `ulimit -n`, and type `rdoctl stop --all`; or forward fewer ports"
OTHER_ADDRESS = "name an address of this machine"

HINTS = {errno.EMFILE: FEWER_FILES, errno.ENFILE: FEWER_FILES, errno.EADDRNOTAVAIL: OTHER_ADDRESS}
"""What to do about errors that do not depend on the port."""

NO_SUCH_ADDRESS = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT)
"""The errors of a system without IPv6."""


class Listener(NamedTuple):
    """Listening sockets and their address; `moved` says why it is not the one requested."""

    sockets: tuple[socket.socket, ...]
    endpoint: Endpoint
    moved: str = ""

    def remove(self) -> None:
        """Give up the port or the Unix socket's file. Whoever has the sockets closes them."""
        for listening in self.sockets:
            with contextlib.suppress(OSError):  # macOS supports that only for connections
                listening.shutdown(socket.SHUT_RDWR)
        if self.endpoint.path:
            with contextlib.suppress(OSError):
                os.unlink(self.endpoint.path)


def listen(wanted: Endpoint, *, exact: bool = False) -> Listener:
    """Listen at that address or, unless `exact`, on the next free port. Raises SetupError."""
    if wanted.path:
        return Listener((_bound_path(wanted.path),), wanted)
    moved = ""
    for port in _candidates(wanted.port):
        endpoint = wanted._replace(port=port)
        try:
            return Listener(_bound(endpoint), endpoint, moved)
        except OSError as error:
            why = OCCUPIED.get(error.errno or 0, "")
            if not why:
                raise _error(endpoint, reason(error), _hint(error)) from None
            if exact:
                raise _error(endpoint, f"the port {why}") from None
        moved = moved or why
    raise _error(wanted, f"the port {moved}, and so are the {MOVES} after it")


def _error(endpoint: Endpoint, why: str, hint: str = OTHER_PORT) -> SetupError:
    return SetupError(f"cannot listen on `{endpoint}`", why, hint)


def _hint(error: OSError, otherwise: str = OTHER_PORT) -> str:
    if isinstance(error, socket.gaierror):  # its error numbers have other meanings
        return OTHER_ADDRESS
    return HINTS.get(error.errno or 0, otherwise)


def _candidates(port: int) -> Iterator[int]:
    yield port
    first = port + PRIVILEGED_SHIFT if port < 1024 else port + 1
    yield from range(first, min(first + MOVES, LAST_PORT + 1))


def _bound(endpoint: Endpoint) -> tuple[socket.socket, ...]:
    """Sockets on all addresses that the endpoint stands for, or on none. Raises OSError."""
    hosts = {"": LOOPBACK, EVERYWHERE: ("0.0.0.0", "::")}.get(endpoint.host, (endpoint.host,))
    with contextlib.ExitStack() as undo:
        sockets = []
        for host in hosts:
            try:
                sockets.append(undo.enter_context(_bound_address(host, endpoint.port)))
            except OSError as error:
                if not sockets or error.errno not in NO_SUCH_ADDRESS:
                    raise
        undo.pop_all()
        return tuple(sockets)


def _bound_address(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    if sys.platform != "linux" and _is_served(host, port):
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


def _is_served(host: str, port: int) -> bool:
    """Whether a server listens there. With SO_REUSEADDR, systems other than Linux would let us listen on a port that a
    server has on all addresses."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), 0.5):
        return True
    return False


def _is_left_over(path: str) -> bool:
    """Whether the path is a socket of ours on which nobody listens any more, as after a control master was killed."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.geteuid():
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)  # its queue may be full
        return probe.connect_ex(path) == errno.ECONNREFUSED


def _bound_path(path: str) -> socket.socket:
    with contextlib.ExitStack() as undo:
        try:
            listening = undo.enter_context(socket.socket(socket.AF_UNIX))
            if _is_left_over(path):
                os.unlink(path)
            listening.bind(path)
            os.chmod(path, 0o600)
            listening.listen(BACKLOG)
        except OSError as error:
            why = "something is there already" if error.errno == errno.EADDRINUSE else reason(error)
            hint = _hint(error, "remove it, or choose another path")
            raise SetupError(f"cannot listen on socket `{path}`", why, hint) from None
        undo.pop_all()
        return listening
