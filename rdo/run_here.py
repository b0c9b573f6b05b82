"""What rdo runs on this machine instead of the target. Not on the hot path.

- The command itself, if this machine is the target: `rdo make` may run a Makefile that contains `rdo pytest` on a
  target that has rdo and the `.rdo.conf`, too. rdo recognises the target by the variable RDO_ON_TARGET, which every
  command there gets. Whoever can set that variable for rdo could as well run whatever they like.
- The local tool, if the target cannot be reached: for shims, if the profile allows it.

Neither is ever a shim (shims/script.py), which would call rdo again.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import NoReturn

from rdo import project
from rdo.client import argv
from rdo.client.argv import Options
from rdo.errors import ConfigError, ConnectError, RdoError, reason
from rdo.shims import script
from rdo.util import charset, foreign_file

HEAD_SIZE = 4096
"""Bytes at the start of a file that show whether it is a shim."""


def run_on_target(options: Options, environ: Mapping[str, str], here: str) -> None:
    """Execute the command if this machine is its target. `here` is RDO_ON_TARGET: a project's root, and the profile.

    Returns only if this is not the target. Raises RdoError if an option cannot be carried out.
    """
    root, _, profile = here.rpartition(":")
    if profile != argv.profile(options, environ) or not is_project(root, options, environ):
        return
    if options.sync_only:
        os._exit(0)  # nothing to copy: the files are here
    _prepare(options)
    words = command(options)
    program = words[0] if "/" in words[0] else find(words[0], os.environ.get("PATH", os.defpath))
    try:
        _become(program or os.devnull, words)
    except OSError as error:
        why = "not found" if program is None else reason(error)
        status = 127 if program is None or isinstance(error, FileNotFoundError) else 126
        os.write(2, f"rdo: {RdoError(f'cannot run `{words[0]}` here, on the target', why)}\n".encode())
    os._exit(status)  # the same status as from the shell that runs commands on the target


def is_project(root: str, options: Options, environ: Mapping[str, str]) -> bool:
    """Whether rdo was called in the project with this root: by its `.rdo.conf` or, without one here, by directory."""
    try:
        found = project.discover(environ, options.project)
    except ConfigError:
        try:
            here = os.path.join(os.getcwd(), "")
        except OSError:
            return False  # it was removed
        return not options.project and here.startswith(os.path.join(os.path.realpath(root), ""))
    return os.path.realpath(found.root) == os.path.realpath(root)


def _prepare(options: Options) -> None:
    """Apply the options for variables, directory and stdin. Raises RdoError."""
    _set_variables(options)
    if options.remote_directory:
        directory = os.path.join(os.path.expanduser("~"), os.path.expanduser(options.remote_directory))
        try:
            os.chdir(directory)
        except OSError as error:
            raise RdoError(f"cannot change to `{directory}`", reason(error)) from None
    if not options.stdin:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)


def command(options: Options) -> list[str]:
    """The words to execute."""
    words = list(options.command)
    if options.shell_string is not None:
        words = ["/bin/sh", *options.shell_options, options.shell_string, *words]
    elif not words:
        words = [os.environ.get("SHELL") or "/bin/sh", "-l"]
    return ["sudo", "--", *words] if options.sudo else words


def fall_back(error: ConnectError, options: Options, config_file: str, profile: str) -> NoReturn:
    """Execute the local tool, and say so. Raises `error` if that is not allowed, or if there is no such tool."""
    name = "".join(options.command[:1])
    if not name or "/" in name or options.shell_string is not None or not is_fallback_allowed(config_file, profile):
        raise error
    tool = find(name, os.environ.get("PATH", os.defpath))
    if tool is None:
        missing = f"there is no local `{name}` to fall back to"
        raise ConnectError(error.what, f"{error.why}, and {missing}" if error.why else missing, error.hint)
    line = RdoError(error.what, error.why, f"running the local `{tool}` instead")
    os.write(2, charset.escaped_for_terminal(f"rdo: {line}\n", os.environ).encode("utf-8", "replace"))
    _set_variables(options)
    try:
        _become(tool, [tool, *options.command[1:]])
    except OSError as failure:
        raise RdoError(f"cannot run `{tool}`", reason(failure)) from None


def is_fallback_allowed(config_file: str, profile: str) -> bool:
    """Whether the profile allows the fallback, and the user has allowed what the profile asks for."""
    from rdo.config import load  # loaded on demand: commands on the target do not need these
    from rdo.drivers import registry
    from rdo.trust import store

    try:
        loaded = load.load(config_file, profile, project.user_file(os.environ))
        request = store.current_request(loaded, registry.programs(loaded, os.environ))
        return loaded.settings.local_fallback and store.status(request, os.environ).is_allowed
    except RdoError:
        return False


def _set_variables(options: Options) -> None:
    for name, equals, value in (item.partition("=") for item in options.env):
        if equals:
            os.environ[name] = value


def _become(program: str, words: list[str]) -> NoReturn:
    """Execute a program in place of this one. Raises OSError."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores these, and the program would inherit that
        signal.signal(number, signal.SIG_DFL)
    os.execv(program, words)


def find(name: str, path: str) -> str | None:
    """The first program of that name in PATH that is not a shim."""
    files = (os.path.join(directory, name) for directory in path.split(":"))
    return next((file for file in files if is_program(file) and not is_shim(file)), None)


def is_program(file: str) -> bool:
    """Whether the path is an executable file."""
    return os.path.isfile(file) and os.access(file, os.X_OK)


def is_shim(file: str) -> bool:
    """Whether the file is a shim; False if it cannot be read."""
    try:
        return script.is_shim(foreign_file.head(file, HEAD_SIZE))
    except OSError:
        return False
