"""The automatic forwards of a target: each exists for as long as a command listens on its port."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from rdo.config.forwards import Endpoint, Forward, ForwardKind
from rdo.errors import SetupError
from rdo.forward.forward_words import moved_line
from rdo.forward.held_forward import AutomaticOwner, HeldForward
from rdo.forward.listening import IPV4, IPV6, ListeningPort
from rdo.forward.target_forwards import TargetForwards
from rdo.forward.watched_command import WatchedCommand

PORT_LIMIT = 64
"""Ports of a target at a time. A command that listens on more is not a server for people."""

FIRST_EPHEMERAL = 32768
"""From here on, Linux assigns ports to programs that ask for none in particular, such as debuggers."""

LOOPBACK = ("localhost", IPV4, IPV6)


class _Port:
    """An automatic forward of a port."""

    def __init__(self, command: WatchedCommand, found: ListeningPort, owner: AutomaticOwner, held: HeldForward) -> None:
        self.command = command
        self.found = found
        self.owner = owner
        self.held = held

    def is_of(self, command: WatchedCommand, found: ListeningPort) -> bool:
        """Whether it is this port of the same command, even if another process of the command has it by now."""
        return self.command is command and self.found.host == found.host


class WatchedPorts:
    """The automatic forwards of one target. Thread-safe."""

    def __init__(self, target: TargetForwards) -> None:
        self._target = target
        self._lock = threading.Lock()
        """Guards everything below; held while a forward starts to listen."""
        self._ports: dict[int, _Port] = {}

    def update(self, found: Sequence[tuple[WatchedCommand, ListeningPort]]) -> None:
        """Forward exactly these ports."""
        with self._lock:
            wanted = {each.port: (command, each) for command, each in found}
            for number, port in list(self._ports.items()):
                if number not in wanted or not port.is_of(*wanted[number]):
                    self._drop(number)
            for command, each in wanted.values():
                if each.port not in self._ports:
                    self._begin(command, each)
        self.show()

    def show(self) -> None:
        """Show the lines that could not be shown before."""
        for port in list(self._ports.values()):
            self._show(port)

    def release(self, command: WatchedCommand) -> None:
        """Drop the forwards of a command that has ended."""
        with self._lock:
            for port in [number for number, each in self._ports.items() if each.command is command]:
                self._drop(port)

    def local(self, port: int) -> int:
        """The local port for a port of the target, whoever asked for the forward; 0 if there is none."""
        held = self._held(port)
        return held.endpoint.port if held is not None else 0

    def name(self, command: WatchedCommand, port: int) -> None:
        """Note that the command's output names the port."""
        command.named.add(port)
        held = self._ports.get(port)
        if held is not None and held.command is command:
            self._show(held)

    def _begin(self, command: WatchedCommand, found: ListeningPort) -> None:
        pool = self._target.pool
        if self._held(found.port) is not None or pool.target.serves_here(found.port, found.port):
            return
        if len(self._ports) >= PORT_LIMIT:
            command.show(f"{PORT_LIMIT} ports are forwarded already, which is the limit; use `rdo -L PORT`")
            return
        owner = AutomaticOwner(found.process, found.pid)
        try:
            forward = Forward(Endpoint(port=found.port), Endpoint(found.host, found.port))
            held, _ = self._target.hold(owner, forward)
        except SetupError as error:
            command.show(str(error))
            return
        self._ports[found.port] = _Port(command, found, owner, held)

    def _drop(self, port: int) -> None:
        self._target.drop(self._ports.pop(port).owner)

    def _held(self, port: int) -> HeldForward | None:
        """The forward of that port of the target."""
        for held in self._target.held:
            if held.forward.kind is not ForwardKind.LOCAL:
                continue
            destination = held.forward.destination
            if destination.port == port and (destination.host in LOOPBACK or _is_automatic(held)):
                return held
        return None

    def _show(self, port: _Port) -> None:
        """Show where the port is, unless nobody is likely to be interested."""
        if port.found.port < FIRST_EPHEMERAL or port.found.port in port.command.named:
            port.command.show(f"http://{moved_line(port.held, self._target.pool.target.name)}")


def _is_automatic(held: HeldForward) -> bool:
    return any(isinstance(owner, AutomaticOwner) for owner in held.owners)
