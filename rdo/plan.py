"""Composes the script from a request and the config: directory, arguments and variables. Pure. `rdoctl explain` shows
the result, too.

Text is decoded from bytes with `surrogateescape`.
"""

import posixpath
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple

from rdo.config.names import NAME_LIMIT, directory_fault, in_login, user_fault
from rdo.config.schema import DEFAULT_PROFILE, Settings
from rdo.drivers.root import Root
from rdo.errors import RdoError
from rdo.fscodec import fsdecode
from rdo.ipc.request import Request
from rdo.paths.mapping import MappedArgument, PathMapping, UnmappedError
from rdo.remote_sh.script import Copied, Script, mode_settings
from rdo.util.phrases import shortened

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

ROOT = "0"
"""The superuser by its number, since its name may differ."""

READ_ONLY = frozenset({"UID", "EUID", "PPID", "SHELLOPTS", "BASHOPTS", "BASH_VERSINFO"})
"""Variables that are read-only in bash, which exits if one is set. The command's own shell sets them anyway."""


class Plan(NamedTuple):
    """What a request amounts to."""

    script: Script
    arguments: Sequence[MappedArgument]
    mapping: PathMapping
    maps_output: bool
    """Whether paths in its output should be replaced by local ones."""
    output_roots: Mapping[str, str]
    """Directories of the target to their local names, for paths in output; empty if output is left as it is."""


def make(
    request: Request,
    settings: Settings,
    roots: Sequence[Root],
    target: str,
    unmapped_error: UnmappedError = lambda directory: None,
    sudo: str = "",
    copied: Copied | None = None,
) -> Plan:
    """Make the plan. `roots` and `unmapped_error` are the driver's. `sudo` is the user for the target's sudo. `copied`:
    see Script.

    Raises RdoError if the working directory is not on the target, or no directory there is known.
    """
    seen = _as_seen(roots, request)
    mapping = PathMapping([*roots, *seen])
    mapped = _arguments(request, settings, mapping)
    here = fsdecode(request.pwd), fsdecode(request.cwd)
    directory = _given_directory(request, settings) or mapping.directory(*here, unmapped_error)
    script = Script(
        command=_command(request, mapped),
        directory=directory,
        lost=_lost(request, settings, directory, target),
        environment=_environment(request, settings),
        path=_path(settings.path, mapping, fsdecode(request.root)),
        sudo=sudo,
        has_input=not request.no_input,
        keep=settings.on_disconnect == "keep",
        inside=_inside(request, mapping),
        copied=copied,
        modes=tuple(mode_settings(request.modes)),
    )
    maps_output = request.map_output or (settings.map_output and not request.no_map_output)
    return Plan(script, mapped, mapping, maps_output, _output_roots(roots, seen) if maps_output else {})


def user(request: Request, settings: Settings) -> str:
    """The user to run the command as; empty for the target's own. Raises RdoError if it is not a user name."""
    if name := fsdecode(request.user):
        if fault := user_fault(name) or ("is too long" if len(name) > NAME_LIMIT else ""):
            raise RdoError(f"`{shortened(name)}` is not a valid user name", f"it {fault}", "name a user of the target")
        return name
    return ROOT if settings.use_sudo or request.sudo else ""


def _command(request: Request, mapped: Sequence[MappedArgument]) -> list[str]:
    """The words to execute: the command's, after those of the shell if it is a string for one."""
    shell = ["/bin/sh", *fsdecode(request.shell_options).split(" ")] if request.is_shell_string else []
    return [*shell, *(argument.arrives for argument in mapped)]


def _given_directory(request: Request, settings: Settings) -> str:
    """The directory of `--dir`, which may begin with `~`, as the key `directory` may. Raises RdoError."""
    given = fsdecode(request.remote_directory)
    if fault := directory_fault(given):
        raise RdoError(f"`--dir {given}` {fault}", "", "write an absolute path")
    directory = in_login(given)
    if directory != given and settings.driver == "docker":
        why = "a container has none"
        raise RdoError(f"`--dir {given}` is relative to the login directory", why, "write an absolute path")
    return directory


def _arguments(request: Request, settings: Settings, mapping: PathMapping) -> Sequence[MappedArgument]:
    """The command's words, mapped if they may be paths; a string for a shell is left alone."""
    words = list(map(fsdecode, request.arguments))
    as_given = [MappedArgument(word, word) for word in words]
    if not settings.map_args or request.no_map:
        return as_given
    strings = 1 if request.is_shell_string else 0
    return [*as_given[:strings], *mapping.arguments(words[strings:])]


def _as_seen(roots: Iterable[Root], request: Request) -> list[Root]:
    """The roots again, under the name by which the user reached the config's directory, if that leads through links."""
    physical = posixpath.dirname(fsdecode(request.config))
    seen = fsdecode(request.root)
    again = []
    for root in roots:
        if seen != physical and (root.local == physical or root.local.startswith(physical + "/")):
            again.append(root._replace(local=seen + root.local[len(physical) :]))
    return again


def _output_roots(roots: Sequence[Root], seen: Sequence[Root]) -> Mapping[str, str]:
    """For a directory with several local names, the one by which the user came, or else the driver's first.

    `/` is useless for finding paths in a text, as is a directory relative to the login directory.
    """
    named = [root for root in (*reversed(roots), *seen) if root.shared and root.local != "/"]
    names = {root.remote.rstrip("/"): root.local for root in named}
    found = {remote: local for remote, local in names.items() if remote.startswith("/") and "//" not in remote}
    return found if any(remote != local for remote, local in found.items()) else {}


def _lost(request: Request, settings: Settings, directory: str, target: str) -> str:
    """The error to print if the directory cannot be entered."""
    is_given = bool(request.remote_directory)
    copies = settings.sync == "push"
    return _lost_line(directory, target, request.profile, copies=copies, is_given=is_given, is_fresh=settings.fresh)


@lru_cache(maxsize=64)  # most commands run in the same directory as earlier ones, and few print the error
def _lost_line(directory: str, target: str, profile: bytes, *, copies: bool, is_given: bool, is_fresh: bool) -> str:
    """The line of that error. Most often, the directory is missing on a new target.

    `copies`: files are copied there. `is_given`: the directory is not the project's. `is_fresh`: what a command creates
    outside of mounts is gone with its container.
    """
    name = fsdecode(profile)
    words = ["rdo", *([] if name == DEFAULT_PROFILE else ["-p", name])]
    make = shlex.join([*words, "--dir", "/" if directory.startswith("/") else ".", "mkdir", "-p", directory])
    hint = f"if it is missing, `{make}` creates it"
    if is_fresh:
        hint = "with `fresh`, it has to exist in the image" + ("" if is_given else ", or correct `directory`")
    elif copies and not is_given:
        hint += "; what git ignores, or `pull` names, is not copied there"
    elif not is_given:
        hint += ' and `rsync -a -e rdo-rsh ./ :` fills it, or `sync = "push"` does both; otherwise correct `directory`'
    return str(RdoError(f"rdo: cannot enter the directory `{directory}` on `{target}`", "", hint))


def _inside(request: Request, mapping: PathMapping) -> str:
    """The project's root there and the profile; empty if the root is not on the target."""
    root = mapping.to_remote(fsdecode(request.root))
    return "" if root is None else f"{root}:{fsdecode(request.profile)}"


def _path(directories: Sequence[str], mapping: PathMapping, root: str) -> list[str]:
    """The directories of the key `path`, which are relative to the config's directory on the target."""
    base = mapping.to_remote(root) or ""
    return [posixpath.join(base, directory) for directory in directories]


def _environment(request: Request, settings: Settings) -> dict[str, str]:
    """The command's variables. Later ones override earlier ones: those passed on, the config's, those of the
    command."""
    found: dict[str, str] = {}
    if settings.pass_env:
        found.update(pair for pair in pairs(request.environ) if any(fnmatchcase(pair[0], p) for p in settings.pass_env))
    found.update(settings.env)
    found.update(pairs(request.variables))
    if request.pty:
        found.setdefault("TERM", terminal_type(request))  # a warm shell may have TERM from an earlier command
    return {name: value for name, value in found.items() if _NAME.fullmatch(name) and name not in READ_ONLY}


def terminal_type(request: Request) -> str:
    """TERM for a pty, which must not be empty."""
    return fsdecode(request.term) or "dumb"


def pairs(items: Iterable[bytes]) -> Iterable[tuple[str, str]]:
    """`NAME=VALUE` items, which contain no NUL, as pairs."""
    for item in fsdecode(b"\0".join(items)).split("\0"):
        name, equals, value = item.partition("=")
        if equals:
            yield name, value
