"""The checks of `rdoctl doctor` for ports: those forwarded while the target is connected, and those that commands
listen on."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator, Mapping
from typing import Any

from rdo.cli import masters
from rdo.cli.doctor.check import Check, Finding, failed, ok, warning
from rdo.cli.doctor.target import TargetCommands
from rdo.config import forwards
from rdo.config.forwards import EVERYWHERE, Endpoint, Forward
from rdo.config.load import Config
from rdo.errors import SetupError
from rdo.forward import listening_script
from rdo.forward.forward_words import there
from rdo.forward.listener import listen
from rdo.forward.port_watch import NO_SESSION
from rdo.ipc import address
from rdo.remote_sh.template import load

PROBE_TIMEOUT = 1.0
"""Seconds for a connection through a forward to be refused, which takes a round trip; a server may wait for us."""

FORBIDS = "forbids"
"""Occurs in the reason for a failed connection if no server on the target would be reachable; see
drivers/ssh/direct_stream.py."""

WAYS = {"proc": "by /proc/net/tcp", "ss": "by `ss`", "lsof": "by `lsof`"}
"""How the target can find out what commands listen on."""

Held = Mapping[str, Any]
"""A forward, as specified in PROTOCOL.md, with the name of its `target`."""


def checks(config: Config) -> Iterator[Check]:
    """The checks for what the profile sets; none if it forwards nothing."""
    if config.settings.forward:
        yield Check("ports", lambda: _find_forwards(config), needs=("login",))
    if config.settings.auto_forward:
        yield Check("auto_forward", lambda: _find_watch(config), needs=("login",))


def _find_forwards(config: Config) -> Finding:
    if config.settings.fresh:
        return warning("`forward` has no effect with `fresh`", "each command has a container of its own")
    wanted = list(map(forwards.parse, config.settings.forward))
    for forward, word in zip(wanted, config.settings.forward, strict=True):
        if not any(held["remote"] == there(forward, held["target"]) for held in _held(config)) and (
            obstacle := _obstacle(forward)
        ):
            return failed(f"`{word}` is not forwarded: {obstacle.why}", obstacle.hint)
    for held in _held(config):
        _probe(held)
    found = _held(config)
    if forbidden := [held for held in found if FORBIDS in held["failure"]]:
        return failed(f"{forbidden[0]['remote']}: {forbidden[0]['failure']}", "change its sshd_config")
    return ok(", ".join(map(_line, found)))


def _held(config: Config) -> list[Held]:
    """The current forwards of the profile."""
    user = {"config": config.path, "profile": config.profile}
    found = masters.found(address.runtime_directory(os.environ))
    targets = [target for master in found for target in master.targets]
    return [
        {"target": target.name, **held} for target in targets for held in target.forwards if user in held["profiles"]
    ]


def _obstacle(forward: Forward) -> SetupError | None:
    """Why the forward cannot listen; None if it can, or need not listen."""
    if forward.listen == Endpoint():
        return None
    try:
        listener = listen(forward.listen, exact=forward.exact)
    except SetupError as error:
        return error
    for each in listener.sockets:
        each.close()
    listener.remove()
    return None


def _probe(held: Held) -> None:
    """Connect through the forward, so that its failure is recorded."""
    with contextlib.suppress(OSError), _connected(held["local"]) as connection:
        connection.recv(1, socket.MSG_PEEK)


def _connected(local: str) -> socket.socket:
    """Connect to a path, or to `HOST:PORT`. Raises OSError."""
    if not local.startswith("/"):
        host, _, port = local.rpartition(":")
        return socket.create_connection(
            ("localhost" if host == EVERYWHERE else host.strip("[]"), int(port)), PROBE_TIMEOUT
        )
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(PROBE_TIMEOUT)
        connection.connect(local)
    except OSError:
        connection.close()
        raise
    return connection


def _line(held: Held) -> str:
    line = f"{held['local']} -> {held['remote']}"
    return f"{line} (now: {held['failure'].lower()})" if held["failure"] else line


def _find_watch(config: Config) -> Finding:
    """Whether the target can find out what commands listen on."""
    if config.settings.driver == "local":
        return ok("not needed, as ports of the target are ports of this machine")
    if config.settings.fresh:
        return warning("it has no effect with `fresh`", "remove one of them")
    script = f"{load('newline')}; {listening_script.SCRIPT}"
    commands = TargetCommands(config)
    found = commands.probe("--dir", ".", "-c", script)
    if found.detail == listening_script.NONE.decode():
        return warning("the target has neither `awk` with /proc nor `lsof`", "install one of them there")
    if found.detail not in WAYS:
        return found
    if NO_SESSION in commands.run("-v", "--dir", ".", "sleep", "1").complaint:
        return warning(NO_SESSION, "raise MaxSessions in the target's sshd_config")
    return ok(WAYS[found.detail])
