"""Starts a control master, if the client finds none."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import sys
import time

import rdo
from rdo.errors import SetupError, reason
from rdo.fscodec import fsdecode, fsencode
from rdo.ipc.address import hint_for
from rdo.ipc.request import Request
from rdo.ipc.sockets import Identity, connect, identity
from rdo.ipc.startup import ENTRY, LISTENS, READY_FD, lock_path, log_path

START_TIMEOUT = 15.0
"""Seconds for a master to listen: the start of an interpreter and a bind, with ample room for a loaded machine."""

LOCK_INTERVAL = 0.02
"""Seconds between attempts to get the start lock, since flock(2) has no timeout."""

MASTER = "import gc; gc.disable(); " + ENTRY
"""Like `python -m rdo.master.daemon`, without what that loads to find the module, and without garbage collection
meanwhile, which would find nothing and take a twelfth of the time."""

KEPT_ENV_VARS = ("DYLD_LIBRARY_PATH", "HOME", "LD_LIBRARY_PATH", "LOGNAME", "PATH", "USER", "XDG_RUNTIME_DIR")
"""Variables that the master keeps from the first caller: those of a bare login, and the library path that some Pythons
need to start. What a command depends on is in its request."""

ISOLATED = ("-I", "-X", "utf8")
"""Options of Python with which, as for rdo itself, no variable, locale or file of the caller's decides what is
loaded."""

REPORT_SIZE = 4096


def start_master(path: str, request: Request, replaced: Identity) -> None:
    """Start a master for the request that listens at `path`, unless another client has done so: the socket is no longer
    the `replaced` one.

    Raises SetupError.
    """
    lock = _lock(lock_path(path))
    try:
        if identity(path) in (None, replaced) or not _listens(path):
            _spawn(path, request)
    finally:
        os.close(lock)


def _listens(path: str) -> bool:
    connection = connect(path)
    if connection is None:
        return False
    connection.close()
    return True


def python(statement: str) -> list[str]:
    """The command line of a Python that runs a statement, and finds rdo in the same place as this process."""
    place = rdo.__path__[0].rpartition("/")[0]
    own_first = "next((i for i, p in enumerate(sys.path) if p.endswith('-packages')), len(sys.path))"
    return [sys.executable, *ISOLATED, "-c", f"import sys; sys.path.insert({own_first}, {place!r}); {statement}"]


def _lock(path: str) -> int:
    """Hold the start lock until the descriptor is closed. It ends with its owner, so it is never stale."""
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            os.fchmod(fd, 0o600)  # regardless of the umask
        except OSError as error:
            raise SetupError(f"cannot create the lock `{path}`", reason(error), hint_for(error)) from None
        if _try_lock(fd, path):
            return fd
        os.close(fd)
        if time.monotonic() > deadline:
            raise SetupError(f"cannot get the lock `{path}`", "another `rdo` holds it")
        select.select((), (), (), LOCK_INTERVAL)


def _try_lock(fd: int, path: str) -> bool:
    """Try to take the lock, and return whether we have it, and it is the one that others find; see stale_files.py."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EINTR, errno.ENOENT):
            os.close(fd)
            raise SetupError(f"cannot get the lock `{path}`", reason(error)) from None
        return False


def _spawn(path: str, request: Request) -> None:
    """Start a master as a daemon that holds none of our descriptors, and wait until it listens."""
    log = log_path(path)
    before = _size(log)
    command = [*python(MASTER), path, fsdecode(request.version)]
    ready = _fork(log, command, _environment(request))
    try:
        answer = select.select((ready,), (), (), START_TIMEOUT)[0] and os.read(ready, REPORT_SIZE)
    finally:
        os.close(ready)
    if answer != LISTENS:
        why = fsdecode(answer) if answer else _last_line(log, before)
        raise SetupError("the control master did not start", why, "" if answer else "see `rdoctl doctor`")


def _fork(log: str, command: list[str], environment: dict[str, str]) -> int:
    """Start the process that becomes a master, and return the pipe on which it reports. Raises SetupError."""
    pipe: tuple[int, ...] = ()
    try:
        pipe = os.pipe()
        child = os.fork()
    except OSError as error:
        for end in pipe:
            os.close(end)
        raise SetupError("the control master did not start", reason(error), hint_for(error)) from None
    ready, report = pipe
    if child == 0:
        _become_master(report, log, command, environment)
    os.close(report)
    try:
        os.waitpid(child, 0)
    except ChildProcessError:
        pass  # our caller has SIGCHLD ignored
    return ready


def _become_master(report: int, log: str, command: list[str], environment: dict[str, str]) -> None:
    """In the child: fork again, so that init adopts the master, and exec it. Never returns.

    Its stdin and stdout are closed files and its stderr the log: a master that kept the caller's stderr open would hang
    whoever waits for the end of that stream (golang/go#13453).
    """
    try:
        os.setsid()
        os.umask(0o077)  # for the log; a master sets its own
        if os.fork() != 0:
            os._exit(0)
        report = os.dup2(report, READY_FD)
        os.set_inheritable(READY_FD, True)
        os.chdir("/")  # do not keep a directory busy, and import no module from the caller's directory
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(0, 1)
        os.dup2(os.open(log, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600), 2)
        os.closerange(4, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 65536 else 65536)
        os.execve(command[0], command, environment)
    except OSError as error:
        what = f"cannot open `{error.filename}`: " if error.filename else ""
        os.write(report, fsencode(f"{what}{reason(error)}; {hint_for(error)}"))
    finally:
        os._exit(1)


def _environment(request: Request) -> dict[str, str]:
    """The environment that the master keeps from the first caller. Each command's own is in its request."""
    variables = (fsdecode(item).partition("=") for item in request.environ)
    return {name: value for name, _, value in variables if name in KEPT_ENV_VARS}


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _last_line(path: str, before: int) -> str:
    """The last line added to the file since it had so many bytes."""
    try:
        with open(path, "rb") as file:
            file.seek(before)
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError as error:
        return reason(error)
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
