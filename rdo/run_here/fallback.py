"""The local tool instead of a target that cannot be reached: for shims, if the profile wants it. Off the hot path."""

from __future__ import annotations

import os
import signal
from typing import NoReturn

from rdo import project
from rdo.client.argv import Options
from rdo.errors import ConnectError, RdoError
from rdo.shims import script
from rdo.util import charset, foreign_file

HEAD_SIZE = 4096
"""Bytes of a file that tell whether it is a shim."""


def run(error: ConnectError, options: Options, config_file: str, profile: str) -> NoReturn:
    """Become the local tool. Raises `error` where the profile does not want that, or there is no such tool."""
    name = "".join(options.command[:1])
    if not name or "/" in name or options.shell_string is not None or not is_wanted(config_file, profile):
        raise error
    tool = find(name, os.environ.get("PATH", os.defpath))
    if tool is None:
        missing = f"there is no `{name}` here to fall back to"
        raise ConnectError(error.what, f"{error.why}, and {missing}" if error.why else missing, error.hint)
    execute(tool, options, error)


def execute(tool: str, options: Options, error: ConnectError) -> NoReturn:
    """Say so, and execute the tool with the arguments as they were typed and the variables of `-e`."""
    line = RdoError(error.what, error.why, f"`{tool}` of this machine runs instead")
    os.write(2, charset.escaped_for_terminal(f"rdo: {line}\n", os.environ).encode("utf-8", "replace"))
    for name, equals, value in (item.partition("=") for item in options.env):
        if equals:
            os.environ[name] = value
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and what it executes would too
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execv(tool, [tool, *options.command[1:]])
    except OSError as failure:
        raise RdoError(f"cannot run `{tool}`", str(failure.strerror)) from None


def is_wanted(config_file: str, profile: str) -> bool:
    """Whether the profile wants it, and the user has allowed what the profile wants."""

    from rdo.config import load  # only here: on_target.py looks for a program, too, and has no time for these
    from rdo.drivers import registry
    from rdo.trust import store

    try:
        loaded = load.load(config_file, profile, project.user_file(os.environ))
        request = store.current_request(loaded, registry.programs(loaded))
        return loaded.settings.local_fallback and store.status(request, os.environ).is_allowed
    except RdoError:
        return False


def find(name: str, path: str) -> str | None:
    """The first program of that name in PATH that is no shim."""
    files = (os.path.join(directory, name) for directory in path.split(":"))
    return next((file for file in files if is_program(file) and not is_shim(file)), None)


def is_program(file: str) -> bool:
    return os.path.isfile(file) and os.access(file, os.X_OK)


def is_shim(file: str) -> bool:
    """Whether it is a shim; False for what cannot be read."""
    try:
        return script.is_shim(foreign_file.head(file, HEAD_SIZE))
    except OSError:
        return False
