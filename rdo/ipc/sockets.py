"""The runtime directory, the control socket in it, and frames to the master. Part of the client's hot path.

The directory is the door: whoever can enter it can run commands as its owner. So it is checked at each use.
"""

import _socket
import _thread
import posix
import sys
import time

import rdo
from rdo.errors import SetupError
from rdo.fscodec import fsdecode, fsencode
from rdo.ipc import protocol

SOCKET_PATH_LIMIT = 103
"""Bytes of a socket's path: sun_path holds 104 on macOS and the BSDs, with the NUL at the end."""

RUNTIME_DIR_HINT = "free disk space or fix its permissions, or set XDG_RUNTIME_DIR to another directory of yours"

TARGET_ENV_VARS = (
    "HOME", "RDO_SSH_CONFIG", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS",
    "DOCKER_TLS_VERIFY", "VAGRANT_CWD", "VAGRANT_DOTFILE_PATH", "VAGRANT_VAGRANTFILE", "VAGRANT_HOME",
    "VAGRANT_DEFAULT_PROVIDER",
)  # fmt: skip
"""Variables by which a user says where a target is. HOME has ~/.docker and ~/.vagrant.d."""

NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")

STATUS_SIZE = 8192
"""Bytes of /proc/self/status, several times as many as it has."""

ACCEPT_TIMEOUT = 3.0
"""Seconds for a master to take a connection, and to accept a request. It does both before anything slow, so that a
silent one is wedged."""

RETRY_INTERVAL = 0.02
"""Seconds between two tries to connect while as many wait as the system lets a master queue."""

PEER_CREDENTIALS = (_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12) if hasattr(_socket, "SO_PEERCRED") else (0, 1, 128)
"""Of getsockopt(2), for credentials whose second 32 bits are a uid: struct ucred, or LOCAL_PEERCRED's struct xucred."""

FILE_TYPE, DIRECTORY = 0o170000, 0o040000
"""S_IFMT and S_IFDIR, the same everywhere: a look into `stat` costs as much as the directory's check."""

DIGEST_PRIME = 2**64 - 59
"""The largest of 64 bits."""

Socket = _socket.socket

TYPE_CHECKING = False  # as typing has it, without the cost of importing that
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    Identity = tuple[int, int] | None
    """Which socket is at a path; None where there is none."""

    class Piped(Protocol):
        """A payload that is not in this process's memory: see splice.py."""

        def __len__(self) -> int: ...

        def send(self, connection: Socket) -> None: ...


def release() -> bytes:
    """What client and master compare: protocol, version, and which installation: an upgrade in place changes it."""
    found = [protocol.VERSION, rdo.__version__.encode()]
    place = rdo.__path__[0]
    for path in (place, place + "/__init__.py"):
        try:
            info = posix.stat(path)
        except OSError:
            continue  # it is being replaced just now
        found.append(b"%x-%x" % (info.st_ino, info.st_mtime_ns))
    return b" ".join(found)


def surroundings() -> str:
    """What a process cannot change and a master would have of its first caller: groups and, on Linux, namespaces,
    privileges that were given up for good (as in a sandbox), and the kind of machine that is shown to it.

    And where rdo is installed: two installations do not take turns in replacing each other's master.
    """
    info = posix.stat(rdo.__path__[0] + "/..")
    found = [info.st_dev, info.st_ino, posix.getegid(), *sorted(posix.getgroups())]
    names = []
    for name in NAMESPACES:
        try:
            names.append(posix.readlink("/proc/self/ns/" + name))
        except OSError:
            pass  # no Linux
    return f"\0{found}{names}{_privileges()}"


def _privileges() -> str:
    """From CapInh to Seccomp_filters, and the personality, as Linux has them; empty elsewhere."""
    status = _read("/proc/self/status")
    first, end = status.find("\nCapInh:"), status.find("\nSpeculation")
    return status[first:end] + _read("/proc/self/personality")


def _read(path: str) -> str:
    try:
        fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return fsdecode(posix.read(fd, STATUS_SIZE))
    except OSError:
        return ""
    finally:
        posix.close(fd)


def runtime_directory(environ: "Mapping[str, str]") -> str:
    """The private directory of this user's control sockets, made if missing.

    Raises SetupError where it belongs to someone else, is a link, or can be entered by others.
    """
    base = environ.get("XDG_RUNTIME_DIR", "")
    if base.startswith("/") and len(fsencode(base)) < SOCKET_PATH_LIMIT - len("/rdo/.0123456789abcdef.1234567"):
        try:
            info = posix.stat(base)
            if info.st_uid == posix.geteuid() and not info.st_mode & 0o022:
                return _private(base + "/rdo")
        except OSError:
            pass
        # one that is stale, as after `su`, or that others can write: use the directory that everyone has
    return _private(f"/tmp/rdo-{posix.geteuid()}")


def _private(directory: str) -> str:
    for _ in range(2):
        try:
            info = posix.lstat(directory)
            break
        except FileNotFoundError:
            _make(directory)
    else:
        raise SetupError(f"cannot create the runtime directory `{directory}`", "it keeps disappearing")
    if info.st_mode & FILE_TYPE != DIRECTORY:
        raise SetupError(f"the runtime directory `{directory}` is not a directory", "", "remove it")
    if info.st_uid != posix.geteuid():
        raise SetupError(
            f"the runtime directory `{directory}` belongs to another user", f"uid {info.st_uid}", "remove it"
        )
    if info.st_mode & 0o077:
        raise SetupError(f"the runtime directory `{directory}` is open to others", "", f"`chmod 700 {directory}`")
    return directory


def _make(directory: str) -> None:
    try:
        posix.mkdir(directory, 0o700)
        posix.chmod(directory, 0o700)  # whatever the umask is
    except FileExistsError:
        pass
    except OSError as error:
        raise SetupError(
            f"cannot create the runtime directory `{directory}`", str(error.strerror), RUNTIME_DIR_HINT
        ) from None


def socket_path(directory: str, config: str, profile: str, environ: "Mapping[str, str]") -> str:
    """Where the master of this config file and profile listens: a name of 16 hexadecimal digits.

    What leads to another target (TARGET_ENV_VARS) leads to another master, and so do other surroundings of the caller.
    The remainder by a large prime will do for a digest, and needs no import: a collision is harmless, since the
    request names config and profile in full.
    """
    found = surroundings() + "".join(f"\0{name}={environ[name]}" for name in TARGET_ENV_VARS if environ.get(name))
    digest = int.from_bytes(fsencode(f"{config}\0{profile}{found}"), "big") % DIGEST_PRIME
    return f"{directory}/{digest:016x}"


def connect(path: str) -> "Socket | None":
    """A connection to the master that listens at `path`; None where none does, or it is wedged. Raises SetupError.

    It waits for ACCEPT_TIMEOUT at most, and so does each call on the connection.
    """
    connection = Socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    connection.settimeout(ACCEPT_TIMEOUT)
    try:
        if _is_taken(connection, path):
            _check_peer(connection, path)
            return connection
        connection.close()
        return None
    except SetupError:
        connection.close()
        raise
    except OSError as error:
        connection.close()
        raise SetupError("cannot reach the control master", f"`{path}`: {error.strerror}") from None


def _check_peer(connection: Socket, path: str) -> None:
    """See that who listens is this user or root: nothing is sent to anybody else. Raises SetupError, OSError."""
    credentials = connection.getsockopt(*PEER_CREDENTIALS)
    uid = int.from_bytes(credentials[4:8], sys.byteorder)
    if uid not in (posix.geteuid(), 0):
        raise SetupError(f"the control socket `{path}` belongs to another user", f"uid {uid}", RUNTIME_DIR_HINT)


def _is_taken(connection: Socket, path: str) -> bool:
    """Connect: whether somebody listens, and takes it in time. Raises OSError."""
    deadline = time.monotonic() + ACCEPT_TIMEOUT
    while True:
        try:
            connection.connect(path)
            return True
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(RETRY_INTERVAL)


def identity(path: str) -> "Identity":
    """Which socket is at `path`, to distinguish a new one from an old one."""
    try:
        info = posix.stat(path)
    except OSError:
        return None
    return info.st_ino, info.st_mtime_ns


def send(connection: Socket, kind: bytes, payload: "bytes | memoryview" = b"") -> None:
    """Send one frame, whole, without a copy of its payload. Raises OSError."""
    head = protocol.header(kind, len(payload))
    sent = connection.sendmsg((head, payload))
    if sent < len(head):
        connection.sendall(head[sent:])
    if sent < len(head) + len(payload):
        connection.sendall(memoryview(payload)[max(0, sent - len(head)) :])


def ask(connection: Socket, request: protocol.Request) -> None:
    """Send a request. What fails shows when the answer is read."""
    try:
        send(connection, protocol.RUN, protocol.encode_request(request))
    except OSError:
        pass


class Outbox:
    """Frames to be sent. Whoever holds the lock sends for all, so that nobody waits for a thread with much to send."""

    __slots__ = ("_connection", "_frames", "_sending")

    def __init__(self, connection: Socket) -> None:
        self._connection = connection
        self._frames: list[tuple[bytes, bytes | Piped]] = []
        self._sending = _thread.allocate_lock()  # guards the order of bytes on the connection

    def send(self, kind: bytes, payload: "bytes | Piped" = b"") -> None:
        """Send a frame, or leave it to whoever is sending."""
        self._frames.append((kind, payload))
        while self._frames and self._sending.acquire(False):
            try:
                while self._frames:
                    kind, payload = self._frames.pop(0)
                    if isinstance(payload, bytes):
                        send(self._connection, kind, payload)
                    else:
                        self._connection.sendall(protocol.header(kind, len(payload)))
                        payload.send(self._connection)
            except OSError:
                self._frames.clear()  # the main thread reads the end of the connection, and says so
            finally:
                self._sending.release()
