"""The runtime folder, the control socket in it, and the start of a control master. Part of the client's hot path.

The folder is the door: whoever can enter it can run commands as its owner. So it is checked at each use.
"""

import _socket
import errno
import os
import stat
import sys
import time

from rdo import protocol
from rdo.errors import SetupError

SOCKET_PATH_LIMIT = 103
"""Bytes of a socket's path: sun_path holds 104 on macOS and the BSDs, with the NUL at the end."""

ACCEPT_TIMEOUT = 3.0
"""Seconds for a master to accept a request. It does so before anything slow, so that a silent one is wedged."""

START_TIMEOUT = 15.0
"""Seconds for a master to listen: an interpreter's start and a bind, with ample room for a loaded machine."""

LOCK_PAUSE = 0.02
"""Seconds between two tries for the start lock: flock(2) with a deadline cannot be had otherwise."""

ELSEWHERE = "make room or mend its rights, or set XDG_RUNTIME_DIR to another folder of yours"

READY_FD = 3
"""Where a master reports to the client that starts it: LISTENS, or else in a line why it cannot."""

LISTENS = b"\0"
REPORT_SIZE = 4096

GUIDES = (
    "RDO_SSH_CONFIG", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "VAGRANT_CWD", "VAGRANT_DOTFILE_PATH",
    "VAGRANT_VAGRANTFILE",
)  # fmt: skip
"""Variables by which a user says where a target is to be found."""

Socket = _socket.socket

TYPE_CHECKING = False  # as typing has it, without the cost of importing that
if TYPE_CHECKING:
    Identity = tuple[int, int] | None
    """Which socket it is that stands at a path; None where there is none."""


def runtime_folder(environ: "os._Environ[str]") -> str:
    """The private folder of this user's control sockets, made if missing.

    Raises SetupError where it belongs to someone else, is a link, or can be entered by others.
    """
    base = environ.get("XDG_RUNTIME_DIR", "")
    if base.startswith("/") and len(os.fsencode(base)) < SOCKET_PATH_LIMIT - len("/rdo/.0123456789abcdef.1234567"):
        try:
            if os.stat(base).st_uid == os.geteuid():
                return _private(base + "/rdo")
        except OSError:
            pass  # a stale XDG_RUNTIME_DIR, as after `su`: use the folder that everyone has
    return _private(f"/tmp/rdo-{os.geteuid()}")


def _private(folder: str) -> str:
    for _ in range(2):
        try:
            info = os.lstat(folder)
            break
        except FileNotFoundError:
            _make(folder)
    else:
        raise SetupError(f"cannot make the runtime folder `{folder}`", "it vanishes again")
    if not stat.S_ISDIR(info.st_mode):
        raise SetupError(f"the runtime folder `{folder}` is no folder", "", "remove it")
    if info.st_uid != os.geteuid():
        raise SetupError(f"the runtime folder `{folder}` belongs to another user", f"uid {info.st_uid}", "remove it")
    if info.st_mode & 0o077:
        raise SetupError(f"the runtime folder `{folder}` is open to others", "", f"`chmod 700 {folder}`")
    return folder


def _make(folder: str) -> None:
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise SetupError(f"cannot make the runtime folder `{folder}`", str(error.strerror), ELSEWHERE) from None


def socket_path(folder: str, config: str, profile: str, environ: "os._Environ[str] | dict[str, str]") -> str:
    """Where the master of this config file and profile listens: a name of 16 hexadecimal digits.

    What leads to another target (GUIDES) leads to another master. FNV-1a, 64 bits, needs no import. A collision is
    harmless, since the request names config and profile in full.
    """
    guides = "".join(f"\0{name}={environ[name]}" for name in GUIDES if environ.get(name))
    digest = 0xCBF29CE484222325
    for byte in os.fsencode(f"{config}\0{profile}{guides}"):
        digest = (digest ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{folder}/{digest:016x}"


def connect(path: str) -> "Socket | None":
    """A connection to the master that listens at `path`; None where none does. Raises SetupError."""
    connection = Socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    except OSError as error:
        connection.close()
        raise SetupError("cannot reach the control master", f"`{path}`: {error.strerror}") from None
    return connection


def ask(path: str, request: protocol.Request) -> "tuple[Identity, Socket | None]":
    """Send a request to the master that listens at `path`, if one does: which socket that was, and the connection.

    What the master says to it is to come within ACCEPT_TIMEOUT. Raises SetupError.
    """
    seen = identity(path)
    connection = connect(path)
    if connection is not None:
        connection.settimeout(ACCEPT_TIMEOUT)
        try:
            send(connection, protocol.RUN, protocol.encode_request(request))
        except OSError:
            connection.close()
            connection = None
    return seen, connection


def send(connection: Socket, kind: bytes, payload: "bytes | memoryview" = b"") -> None:
    """Send one frame, whole, without a copy of its payload. Raises OSError."""
    head = protocol.header(kind, len(payload))
    sent = connection.sendmsg((head, payload))
    if sent < len(head):
        connection.sendall(head[sent:])
    if sent < len(head) + len(payload):
        connection.sendall(memoryview(payload)[max(0, sent - len(head)) :])


def identity(path: str) -> "Identity":
    """Which socket it is that stands at `path`, so that a new one can be told from an old one."""
    try:
        info = os.stat(path)
    except OSError:
        return None
    return info.st_ino, info.st_mtime_ns


def start_master(path: str, config: str, profile: str, replaced: "Identity") -> None:
    """Have a master listen at `path`, unless another client has seen to it: the socket is no more the `replaced` one.

    Raises SetupError.
    """
    lock = _lock(path + ".lock")
    try:
        if identity(path) in (None, replaced) or not _listens(path):
            _spawn(path, config, profile)
    finally:
        os.close(lock)


def _listens(path: str) -> bool:
    connection = connect(path)
    if connection is None:
        return False
    connection.close()
    return True


def _lock(path: str) -> int:
    """The start lock, held until the descriptor is closed: it dies with its owner, so it is never stale."""
    import fcntl
    import select

    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise SetupError(f"cannot make the lock `{path}`", str(error.strerror), ELSEWHERE) from None
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fd
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EINTR) or time.monotonic() > deadline:
                os.close(fd)
                raise SetupError(f"cannot get the lock `{path}`", "another `rdo` holds it") from None
        select.select((), (), (), LOCK_PAUSE)


def _spawn(path: str, config: str, profile: str) -> None:
    """Start a master as a daemon that holds none of our descriptors, and wait until it listens."""
    import select

    log = path + ".log"
    ready, report = os.pipe()
    try:
        child = os.fork()
        if child == 0:
            _become_master(report, log, [sys.executable, "-m", "rdo.master", path, config, profile])
        os.close(report)
        os.waitpid(child, 0)
        told = select.select((ready,), (), (), START_TIMEOUT)[0] and os.read(ready, REPORT_SIZE)
    finally:
        os.close(ready)
    if told != LISTENS:
        why = os.fsdecode(told) if told else _last_line(log)
        raise SetupError("the control master did not start", why, ELSEWHERE if told else "see `rdoctl doctor`")


def _become_master(report: int, log: str, command: "list[str]") -> None:
    """In the child: fork again, so that init adopts the master, and exec it. Never returns.

    Its stdin and stdout are closed files and its stderr the log: a master that kept the caller's stderr open would
    hang whoever waits for the end of that stream (golang/go#13453).
    """
    try:
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        os.dup2(report, READY_FD)
        os.set_inheritable(READY_FD, True)
        os.chdir("/")  # hold no folder busy, and let no module of the caller's folder be imported
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(0, 1)
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), 2)
        os.closerange(4, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 65536 else 65536)
        os.execv(command[0], command)
    except OSError as error:
        os.write(READY_FD, os.fsencode(f"cannot open `{error.filename}`: {error.strerror}"))
    finally:
        os._exit(1)


def _last_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().split("\n")
    except OSError as error:
        return str(error.strerror)
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
