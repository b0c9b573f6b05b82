"""Finds `.rdo.conf` in a directory or its parents, and stamps config files to detect changes. Reads none."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, MutableMapping

from rdo.errors import ConfigError, RdoError, reason

CONFIG = ".rdo.conf"
LOCAL_CONFIG = ".rdo.local.conf"

PATH_ENV_VARS = ("RDO_SSH_CONFIG", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "VAGRANT_CWD", "VAGRANT_HOME", "SSH_AUTH_SOCK")
"""Variables that name a local file or directory. A relative path is relative to the directory where rdo was called."""

PER_PROCESS_PATHS = ("/proc/self", "/proc/thread-self", "/dev/fd", "/dev/std")
LINK_LIMIT = 40
"""Links in a row, as on Linux."""

LINK_HINT = "make it a file, or a link to one"

SOCKET_URL = "unix://"

MISSING = "-"
"""Stands for a missing file in a stamp."""


class FoundConfig:
    """A `.rdo.conf` as seen from a working directory. All directories are absolute."""

    __slots__ = ("config", "cwd", "pwd", "root", "stamp")

    def __init__(self, config: str, root: str, pwd: str, cwd: str, stamp: str) -> None:
        self.config = config
        """The path of the file with links resolved, so that a file is one set of profiles, however it was reached."""
        self.root = root
        """The file's directory as the user sees it, perhaps through links."""
        self.pwd = pwd
        """The working directory as the shell shows it ($PWD)."""
        self.cwd = cwd
        """The working directory, links resolved."""
        self.stamp = stamp


def discover(environ: Mapping[str, str], project: str = "") -> FoundConfig:
    """The nearest `.rdo.conf` in the working directory or its parents: by $PWD first, then by the physical path.

    The search does not leave the file system, nor, from below the home directory, the home directory, since others may
    write there. If a directory `project` is named, the one in there is used, whatever the working directory. Raises
    ConfigError if there is none, or if the working directory is needed and no longer exists.
    """
    try:
        cwd = working_directory()
    except ConfigError:
        if not project.startswith("/"):
            raise
        cwd = "/"  # outside of the project, wherever that was
    pwd = logical(environ.get("PWD", ""), cwd)
    if project:
        return _named(project, pwd, cwd, environ)
    why = ""
    for start in (pwd,) if pwd == cwd else (pwd, cwd):
        root = _walk_up(start)
        if root is None:
            continue
        if _is_within_reach(root, start, environ.get("HOME", "")):
            physical = root if start == cwd else os.path.realpath(root)
            config = _join(physical, CONFIG)
            _check_link(config)
            return FoundConfig(config, root, pwd, cwd, stamp(config, user_file(environ)))
        why = f"the one in `{root}` is ignored: it is on another file system, or above your home directory"
    raise ConfigError(f"no `{CONFIG}` in `{pwd}` or any directory above", why, "`rdoctl init` writes one")


def working_directory() -> str:
    """The physical path of the working directory. Raises ConfigError if it was removed."""
    try:
        return os.getcwd()
    except OSError as error:
        hint = "`cd` to a directory that exists"
        raise ConfigError("cannot determine the working directory", reason(error), hint) from None


def _named(project: str, pwd: str, cwd: str, environ: Mapping[str, str]) -> FoundConfig:
    """The `.rdo.conf` of a named directory. A working directory outside of it counts as that directory itself."""
    root = _normal(pwd, project)
    physical = os.path.realpath(root)
    config = _join(physical, CONFIG)
    _check_link(config)
    if _stamp_one(config) == MISSING:
        hint = "correct `--project` or, after a move, type `rdoctl shim add` again"
        raise ConfigError(f"no `{CONFIG}` in `{root}`", "", hint)
    if not _is_at_or_below(pwd, root) and not _is_at_or_below(cwd, physical):
        pwd, cwd = root, physical
    return FoundConfig(config, root, pwd, cwd, stamp(config, user_file(environ)))


def logical(pwd: str, cwd: str) -> str:
    """$PWD if it names the working directory without `.` or `..`, as POSIX specifies for `pwd -L`.

    Nor may it contain two slashes in a row, as in bash after `cd //`: walking up from there never reaches `/`.
    """
    if pwd == cwd or not pwd.startswith("/") or not {"", ".", ".."}.isdisjoint(pwd.split("/")[1:]):
        return cwd
    return pwd if _identity(pwd) == _identity(".") else cwd


def change_directory(directory: str, environ: MutableMapping[str, str]) -> None:
    """Go to the directory of `-C`, and set $PWD accordingly, as `cd` does. Raises RdoError."""
    try:
        os.chdir(directory)
    except OSError as error:
        raise RdoError(f"cannot change to `{directory}`", reason(error)) from None
    environ["PWD"] = logical(_normal(environ.get("PWD", ""), directory), working_directory())


def complete(environ: MutableMapping[str, str]) -> None:
    """Set HOME if it is missing, and make the paths in PATH_ENV_VARS and DOCKER_HOST absolute. A master has another
    environment, and its working directory is `/`."""
    if not environ.get("HOME"):
        _set_home(environ)
    try:
        cwd = os.getcwd()
    except OSError:
        return  # it was removed, and relative paths lead nowhere
    for name in PATH_ENV_VARS:
        value = environ.get(name, "")
        if value and value[0] not in "/~":
            environ[name] = f"{cwd}/{value}"
    host = environ.get("DOCKER_HOST", "")
    if host.startswith(SOCKET_URL) and not host.startswith(SOCKET_URL + "/"):
        environ["DOCKER_HOST"] = f"{SOCKET_URL}{cwd}/{host[len(SOCKET_URL) :]}"


def _set_home(environ: MutableMapping[str, str]) -> None:
    """Set HOME from the user database, like ssh(1): `env -i` and some build programs leave it out."""
    import pwd  # few callers need it

    try:
        environ["HOME"] = pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        pass


def user_file(environ: Mapping[str, str]) -> str:
    """The path of the user's own config file, whether or not it exists."""
    directory = environ.get("XDG_CONFIG_HOME", "")
    if not directory.startswith("/"):
        directory = environ.get("HOME", "") + "/.config"
    return directory + "/rdo/config.toml"


def stamp(config: str, user: str) -> str:
    """The time (ns), size, inode and permissions of each config file, which change when the file does."""
    return " ".join(map(_stamp_one, (user, config, _join(_parent(config), LOCAL_CONFIG))))


def _stamp_one(path: str) -> str:
    try:
        stat = os.stat(path)
    except OSError:
        return MISSING
    return f"{stat.st_mtime_ns}:{stat.st_size}:{stat.st_ino}:{stat.st_mode}:{stat.st_uid}:{stat.st_gid}"


def upwards(directory: str) -> Iterator[str]:
    """An absolute directory, and all its parents."""
    yield directory
    while directory != "/":
        directory = _parent(directory)
        yield directory


def _walk_up(start: str) -> str | None:
    for directory in upwards(start):
        try:
            # a dangling link is an error, not a reason to use the file of another directory
            os.lstat(_join(directory, CONFIG))
        except OSError:
            continue
        return directory
    return None


def _check_link(config: str) -> None:
    """Raise ConfigError for a dangling link, or one to another file in each process, such as /proc/self/..."""
    path = config
    try:
        for _ in range(LINK_LIMIT):
            target = os.readlink(path)
            path = target if target.startswith("/") else _join(_parent(path), target)
            if path.startswith(PER_PROCESS_PATHS):
                raise ConfigError(config, f"a link to `{path}`, which is a different file for each process", LINK_HINT)
    except OSError:
        if path == config:
            return  # not a link
    try:
        os.stat(config)
    except OSError as error:
        why = f"a dangling link to `{os.readlink(config)}`: {reason(error)}"
        raise ConfigError(config, why, LINK_HINT) from None


def _is_within_reach(root: str, start: str, home: str) -> bool:
    """Whether the way up from `start` to `root` leaves neither the file system nor the home directory.

    Checked once the file is found, so that the way up costs no more than one stat per directory.
    """
    if root == start:
        return True
    if os.stat(root).st_dev != os.stat(start).st_dev:
        return False
    return _is_at_or_below(root, home) or not _leads_through(home, start, root)


def _leads_through(home: str, start: str, root: str) -> bool:
    """Whether the way up from `start` leaves the home directory before it reaches `root`, under any name."""
    here = _identity(home)
    directory = start
    while here is not None and directory != root:
        if _identity(directory) == here:
            return True
        directory = _parent(directory)
    return False


def _identity(path: str) -> tuple[int, int] | None:
    """Identifies a file; None if there is none."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def _is_at_or_below(directory: str, top: str) -> bool:
    return directory == top or directory.startswith(top.rstrip("/") + "/")


def _normal(directory: str, name: str) -> str:
    return os.path.normpath(os.path.join(directory, name))


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or "/"


def _join(directory: str, name: str) -> str:
    return directory + name if directory == "/" else f"{directory}/{name}"
