"""Where the control socket of a master is: the runtime directory, and the name in it. Part of the client's hot path.

The directory is the door: whoever can enter it can run commands as its owner. So it is checked at each use.
"""

import posix

import rdo
from rdo.errors import SetupError
from rdo.fscodec import fsdecode, fsencode

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

FILE_TYPE, DIRECTORY = 0o170000, 0o040000
"""S_IFMT and S_IFDIR, the same everywhere: a look into `stat` costs as much as the directory's check."""

DIGEST_PRIME = 2**64 - 59
"""The largest of 64 bits."""

TYPE_CHECKING = False  # as typing has it, without the cost of importing that
if TYPE_CHECKING:
    from collections.abc import Mapping


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
