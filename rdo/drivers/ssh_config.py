"""~/.ssh/config read without an ssh program, by paramiko's reader; printed as `ssh -G` would.

Only a fallback. Nothing else belongs here.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import threading
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from paramiko import config
from paramiko.config import SSHConfig
from paramiko.ssh_exception import ConfigParseError

from rdo.drivers.openssh import Request
from rdo.drivers.ssh_include import EVERYWHERE, expanded
from rdo.errors import ConnectError

READING = threading.Lock()
"""Held while a configuration is read: what runs its commands is one for the whole process, and works for one caller."""

SYSTEM = "/etc/ssh/ssh_config"
"""Counts behind the user's own file, unless another one was named."""

DEFAULT_KEYS = ("id_rsa", "id_ecdsa", "id_ed25519")


EXEC_TIMEOUT = 20.0
"""Seconds for a command of `Match exec`; one that takes longer does not match."""


class Verdict(NamedTuple):
    """What became of a command; paramiko asks for it by this name."""

    ok: bool


class Exec:
    """Runs the commands of `Match exec`, in place of a package that paramiko may have been installed without."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def run(self, command: str, **_: object) -> Verdict:
        """As ssh(1) does it: by the user's shell."""
        shell = self._environment.get("SHELL") or "/bin/sh"
        quiet, env = subprocess.DEVNULL, dict(self._environment)
        try:
            done = subprocess.run([shell, "-c", command], stdin=quiet, stdout=quiet, env=env, timeout=EXEC_TIMEOUT)
        except (OSError, subprocess.TimeoutExpired):
            return Verdict(False)
        return Verdict(done.returncode == 0)


def lines(request: Request, environment: Mapping[str, str]) -> list[str]:
    """The options for a host, one `key value` a line. Raises ConnectError where the file cannot be used."""
    with READING:
        setattr(config, "invoke", Exec(environment))  # noqa: B010  (the stubs do not have it)
        return _lines(request)


def _lines(request: Request) -> list[str]:
    home = pwd.getpwuid(os.getuid()).pw_dir  # whatever HOME says, as ssh(1) has it
    own = os.path.join(home, ".ssh")
    places = [(os.path.join(own, "config"), own), (SYSTEM, os.path.dirname(SYSTEM))]
    text: list[str] = []
    for path, base in [(request.ssh_config, own)] if request.ssh_config else places:
        try:
            text += [EVERYWHERE, *expanded(path, home, base)]
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not request.ssh_config:
                continue
            why = (error.strerror or str(error)).lower()
            raise ConnectError(f"the ssh configuration `{path}` is not usable", why) from error
    try:
        found: Mapping[str, str | list[str]] = SSHConfig.from_text("\n".join(text)).lookup(request.host)
    except ConfigParseError as error:
        named = request.ssh_config or places[0][0]
        raise ConnectError(f"the ssh configuration `{named}` is not usable", str(error)) from error
    given = {"user": request.user, "port": request.port, "proxyjump": request.jump}
    chosen = {**_defaults(), **found, **{key: str(value) for key, value in given.items() if value}}
    return [f"{key} {value}" for key, values in chosen.items() for value in _each(key, values)]


def _defaults() -> dict[str, str | list[str]]:
    return {
        "identityfile": [f"~/.ssh/{name}" for name in DEFAULT_KEYS],
        "userknownhostsfile": "~/.ssh/known_hosts ~/.ssh/known_hosts2",
        "globalknownhostsfile": "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2",
    }


def _each(key: str, values: str | list[str] | None) -> Iterator[str]:
    if isinstance(values, list):
        yield from values
    elif key in ("sendenv", "setenv"):
        yield from (values or "").split()
    else:
        yield values or "none"
