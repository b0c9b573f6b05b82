"""The checks of `rdoctl doctor` up to the SSH server: from the user's ssh configuration to the TCP port."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import threading
from collections.abc import Iterator
from functools import cached_property

from rdo.cli.doctor.check import Check, Finding, failed, ok, skipped, warning
from rdo.config.load import Config
from rdo.drivers import registry
from rdo.drivers.ssh.options import SshOptions
from rdo.drivers.ssh.query import Query
from rdo.drivers.ssh.query_request import SshQueryRequest
from rdo.errors import RdoError, reason

RESOLVE_TIMEOUT = 15.0
"""Seconds to resolve a name: resolv.conf(5) gives each of up to three servers 5."""

CONNECT_TIMEOUT = 10.0
"""Seconds for the server to send its version, unless `connect_timeout` is set."""

GREETING = b"SSH-"


def checks(config: Config) -> Iterator[Check]:
    """The checks, in order."""
    route = _SshRoute(config)
    yield Check("ssh program", program)
    yield Check("ssh configuration", route.configuration)
    yield Check("ssh agent", route.agent, needs=("ssh configuration",))
    yield Check("key files", route.keys, needs=("ssh configuration",))
    yield Check("name resolution", route.resolution, needs=("ssh configuration",))
    yield Check("TCP connection", route.connection, needs=("ssh configuration", "name resolution"))


def program() -> Finding:
    """Whether there is an ssh program, to ask for the user's configuration."""
    found = shutil.which("ssh")
    if found:
        return ok(found)
    return warning("there is no ssh program, so most of Match in ~/.ssh/config is ignored", "install an OpenSSH client")


class _SshRoute:
    """The route to one host."""

    def __init__(self, config: Config) -> None:
        self._config = config

    @cached_property
    def options(self) -> SshOptions:
        """What the ssh configuration says about the host. Raises RdoError."""
        settings = self._config.settings
        file = registry.ssh_config_file(settings.ssh_config, os.environ)
        request = SshQueryRequest(
            settings.host or "", settings.user, settings.port, settings.identity, settings.jump, file
        )
        return Query(request, os.environ).options()

    def configuration(self) -> Finding:
        options = self.options
        if options.refused:
            return failed("; ".join(options.refused), "change your ssh configuration")
        through = options.proxy_jump or ("a ProxyCommand" if options.proxy_command else "")
        where = f"{options.user}@{options.hostname}:{options.port}" + (f" through {through}" if through else "")
        return ok(f"{where}; ignored: {'; '.join(options.ignored)}" if options.ignored else where)

    def agent(self) -> Finding:
        from rdo.drivers.ssh.auth.agent import Agent  # imports cryptography: 0.1 s

        path = self.options.identity_agent
        if not path:
            return skipped("no agent; only key files are used")
        agent = Agent(path)
        count = len(agent.keys())
        agent.close()
        if not count:
            return warning(f"{path} holds no keys, or does not respond", "see `ssh-add -l`; `ssh-add` adds a key")
        return ok(f"{count} key{'s' if count > 1 else ''} at {path}")

    def keys(self) -> Finding:
        options = self.options
        if options.identity and not os.path.exists(options.identity):
            return failed(
                f"`identity` {options.identity} does not exist",
                "correct `identity`, or create the key",
            )
        files = [path for path in dict.fromkeys(options.identity_files) if os.path.exists(path)]
        for path in files:
            fault = _fault(path)
            if fault:
                verdict = failed if path == options.identity else warning
                return verdict(f"{path} {fault}, so it is not used", f"as its owner, type `chmod 600 {path}`")
        remedy = "create one with `ssh-keygen`, unless the agent has your keys"
        return ok(", ".join(files)) if files else warning("there are none", remedy)

    def resolution(self) -> Finding:
        if self._is_indirect:
            return skipped("done by the jump host or ProxyCommand")
        addresses = resolve(self.options.hostname, self.options.port)
        return ok(f"{self.options.hostname} is {', '.join(addresses)}")

    def connection(self) -> Finding:
        if self._is_indirect:
            return skipped("made by the jump host or ProxyCommand")
        place = self.options.hostname, self.options.port
        timeout = self._config.settings.connect_timeout or self.options.connect_timeout or CONNECT_TIMEOUT
        where = f"{place[0]} port {place[1]}"
        try:
            with socket.create_connection(place, timeout) as server:
                greeting = server.recv(256)
        except OSError as error:
            why = reason(error)
            return failed(f"{where}: {why}", "check that it is up, and that `host` and `port` are right")
        if greeting.startswith(GREETING):
            first = greeting.partition(b"\n")[0].decode("utf-8", "replace")
            return ok(f"{where}: {first.rstrip()}")
        return failed(f"{where} is not an SSH server", "check `host` and `port`")

    @property
    def _is_indirect(self) -> bool:
        return bool(self.options.proxy_jump or self.options.proxy_command)


def _fault(path: str) -> str:
    """Why a key file cannot be used, by the rules of ssh(1); empty if it can."""
    try:
        info = os.stat(path)
    except OSError as error:
        return reason(error)
    if info.st_uid == os.getuid() and stat.S_IMODE(info.st_mode) & 0o077:
        return f"can be read by others (permissions {stat.S_IMODE(info.st_mode):04o})"
    return "" if os.access(path, os.R_OK) else "cannot be read"


def resolve(name: str, port: int) -> list[str]:
    """The addresses of a name, found in a thread, since getaddrinfo(3) has no timeout. Raises RdoError."""
    found: list[str] = []
    faults: list[str] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            faults.append(reason(error))
        else:
            found.extend(dict.fromkeys(str(answer[4][0]) for answer in answers))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(RESOLVE_TIMEOUT)
    if not found:
        why = faults[0] if faults else f"no answer within {RESOLVE_TIMEOUT:.0f} s"
        raise RdoError(f"`{name}`", why, "check `host`, ~/.ssh/config and the network")
    return found
