"""Checks that the host named by a program that uses rdo-rsh is the profile's own: a command for another host must not
run on the target. Runs `ssh -G` only if the config alone does not decide it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from typing import NamedTuple

from rdo import project
from rdo.client import argv
from rdo.client.argv import Options
from rdo.config import load
from rdo.config.load import Config
from rdo.drivers import registry
from rdo.errors import RdoError
from rdo.rsh.ssh_argv import SshCommand
from rdo.trust import store

SSH_PORT = 22
"""The port named by programs that always name one; without an ssh server to ask, it counts as none.

With ssh, it is a port like any other: `-p 22` takes precedence over the ssh configuration.
"""


class Address(NamedTuple):
    """An address of a target. `user` and `port` are None if they are unknown or do not apply."""

    names: tuple[str, ...]
    user: str | None = None
    port: int | None = None

    def holds(self, command: SshCommand) -> bool:
        """Whether everything that the command names belongs to this address."""
        names = (command.host, command.hostname)
        return (
            all(name in self.names for name in names if name)
            and command.user in ("", self.user)
            and command.port in (None, self.port)
        )


def check(command: SshCommand, options: Options) -> None:
    """Raise RdoError if the host, user or port that the command names is not the profile's."""
    found = project.discover(os.environ, options.project)
    profile = argv.profile(options, os.environ)
    loaded = load.load(found.config, profile, project.user_file(os.environ))
    known = []
    for address in addresses(loaded):
        if address.holds(command):
            return
        known.append(address)
    raise refusal(command, loaded, known[-1].port)


def addresses(loaded: Config) -> Iterator[Address]:
    """The target's addresses: first the one configured, then the one that it resolves to. Raises RdoError."""
    settings = loaded.settings
    if settings.driver == "local":
        yield Address(("local", "localhost"), pwd.getpwuid(os.geteuid()).pw_name, SSH_PORT)
        return
    names = (settings.host, settings.machine, settings.container, settings.service, settings.image)
    configured = Address(tuple(name for name in names if name), settings.user, settings.port)
    yield configured
    request = store.current_request(loaded, registry.programs(loaded, os.environ))
    status = store.status(request, os.environ)
    if not status.is_allowed:  # the next step runs `ssh -G`
        raise store.refusal(request, status)
    driver = registry.create(loaded, os.environ)
    known = (*configured.names, driver.target, driver.target.rpartition(" ")[2])
    query = registry.ssh_query(driver, os.environ)
    if query is None:
        yield Address(known, settings.user, SSH_PORT)
    else:
        reached = query.options()
        yield Address((*known, reached.host, reached.hostname), reached.user, reached.port)


def refusal(command: SshCommand, loaded: Config, port: int | None) -> RdoError:
    """The error, which names the profile's own target, and its `port` if the command names another one."""
    place = (f"{command.user}@" if command.user else "") + (command.host or "")
    named = " ".join(filter(None, [place, f"port {command.port}" if command.port else ""]))
    through = f" (HostName `{command.hostname}`)" if command.hostname else ""
    target = f"that is `{registry.create(loaded, os.environ).target}`"
    if port is not None and command.port not in (None, port):
        target += f", port {port}"
    return RdoError(f"`{named}`{through} is not the target of profile `{loaded.profile}`", target, "use `ssh` for it")
