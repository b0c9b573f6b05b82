"""Tests for which ports of commands are forwarded here, how long, and what is reported. Listens here, but connects to
nothing.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import cast

import pytest

from rdo.config import forwards
from rdo.config.forwards import Endpoint
from rdo.drivers.base import Channel
from rdo.forward import watched_ports
from rdo.forward.listening import ListeningPort
from rdo.forward.target_forwards import TargetForwards
from rdo.forward.watched_command import WatchedCommand
from rdo.forward.watched_ports import FIRST_EPHEMERAL, WatchedPorts
from rdo.pool.connection import HeldConnection
from rdo.pool.target_pool import TargetPool
from tests.leaks import wait_until
from tests.ssh_server import free_port

TIMEOUT = 20.0


class Host:
    """A target whose port 9000 is reachable here anyway."""

    driver = "ssh"
    name = "devbox"
    key = "devbox"

    def serves_here(self, here: int, there: int) -> bool:
        return here == there == 9000


class Pool:
    target = Host()


@pytest.fixture
def target() -> Iterator[TargetForwards]:
    target = TargetForwards(cast(TargetPool, Pool()))
    yield target
    target.end()
    assert wait_until(lambda: not any(thread.name == "forward" for thread in threading.enumerate()), TIMEOUT)


class Command(WatchedCommand):
    """A command that records what it was told."""

    def __init__(self, shell: int) -> None:
        self.lines: list[str] = []
        self.is_drawn_on = False
        super().__init__(shell, cast(HeldConnection, None), cast(Channel, None), self._show, self.lines.append)

    def _show(self, line: str) -> bool:
        if not self.is_drawn_on:
            self.lines.append(line)
        return not self.is_drawn_on


Found = tuple[WatchedCommand, ListeningPort]


def on(command: Command, port: int, host: str = "127.0.0.1") -> Found:
    return command, ListeningPort(command.shell, port, host, 7, "node")


def here(target: TargetForwards) -> list[int]:
    return sorted(held.endpoint.port for held in target.held)


def test_a_port_is_forwarded_as_long_as_it_is_open_on_the_target(target: TargetForwards) -> None:
    ports, command, port = WatchedPorts(target), Command(1), free_port()
    ports.update([on(command, port)])
    ports.update([on(command, port)])
    assert (here(target), ports.local(port), ports.local(port + 1)) == ([port], port, 0)
    assert command.lines == [f"http://localhost:{port} -> devbox:{port}"]
    ports.update([])
    assert here(target) == []


def test_a_restarted_server_is_reported_once(target: TargetForwards) -> None:
    ports, command, port = WatchedPorts(target), Command(1), free_port()
    for _ in range(2):
        ports.update([on(command, port)])
        ports.update([])
    assert len(command.lines) == 1


def test_the_forward_of_a_port_ends_with_its_command(target: TargetForwards) -> None:
    ports, first, second = WatchedPorts(target), Command(1), Command(2)
    one, two = free_port(), free_port()
    ports.update([on(first, one), on(second, two)])
    ports.release(first)
    assert here(target) == [two]
    ports.release(second)
    assert here(target) == []


def test_a_port_that_another_command_took_over_belongs_to_that(target: TargetForwards) -> None:
    ports, first, second, port = WatchedPorts(target), Command(1), Command(2), free_port()
    ports.update([on(first, port)])
    ports.update([on(second, port)])
    ports.release(first)
    assert here(target) == [port]


def test_a_port_at_another_address_is_forwarded_there(target: TargetForwards) -> None:
    ports, command, port = WatchedPorts(target), Command(1), free_port()
    ports.update([on(command, port)])
    ports.update([on(command, port, "172.17.0.2")])
    (held,) = target.held
    assert held.forward.destination == Endpoint("172.17.0.2", port)
    assert ports.local(port) == port
    assert command.lines[-1] == f"http://localhost:{port} -> 172.17.0.2:{port} by devbox"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_port_that_is_already_forwarded_is_left_alone_and_known(target: TargetForwards, host: str) -> None:
    ports, command, port, other = WatchedPorts(target), Command(1), free_port(), free_port()
    target.hold("the user", forwards.parse(f"{other}:{host}:{port}"))
    ports.update([on(command, port)])
    assert (here(target), ports.local(port), command.lines) == ([other], other, [])


def test_the_same_port_of_another_host_is_not_regarded_as_forwarded(target: TargetForwards) -> None:
    ports, command, port, other = WatchedPorts(target), Command(1), free_port(), free_port()
    target.hold("the user", forwards.parse(f"{other}:db:{port}"))
    ports.update([on(command, port)])
    assert here(target) == sorted([port, other])


def test_a_port_that_is_reachable_without_a_forward_is_left_alone(target: TargetForwards) -> None:
    ports, command = WatchedPorts(target), Command(1)
    ports.update([on(command, 9000)])
    assert (here(target), command.lines) == ([], [])


def test_an_ephemeral_port_is_reported_when_the_output_names_it(target: TargetForwards) -> None:
    ports, command, other = WatchedPorts(target), Command(1), Command(2)
    port = free_port() % 1000 + FIRST_EPHEMERAL
    ports.update([on(command, port)])
    ports.name(other, port)
    assert (len(here(target)), command.lines, other.lines) == (1, [], [])
    ports.name(command, port)
    ports.name(command, port)
    assert len(command.lines) == 1


def test_a_port_that_the_output_has_named_is_reported_at_once(target: TargetForwards) -> None:
    ports, command = WatchedPorts(target), Command(1)
    port = free_port() % 1000 + FIRST_EPHEMERAL
    ports.name(command, port)
    ports.update([on(command, port)])
    assert len(command.lines) == 1


def test_the_limit_is_reported_once(target: TargetForwards, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched_ports, "PORT_LIMIT", 2)
    ports, command = WatchedPorts(target), Command(1)
    found = [on(command, free_port()) for _ in range(4)]
    ports.update(found)
    ports.update(found)
    assert len(here(target)) == 2
    (line,) = (line for line in command.lines if "http" not in line)
    assert line == "64 ports are forwarded already, which is the limit; use `rdo -L PORT`".replace("64", "2")


def test_a_port_that_cannot_be_forwarded_is_reported_once(
    target: TargetForwards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rdo.forward.listener.MOVES", 0)
    ports, command, port = WatchedPorts(target), Command(1), free_port()
    with contextlib.ExitStack() as stack:
        taken = WatchedPorts(other := TargetForwards(cast(TargetPool, Pool())))
        stack.callback(other.end)
        taken.update([on(Command(2), port)])
        ports.update([on(command, port)])
        ports.update([on(command, port)])
    assert [line.startswith(f"cannot listen on `{port}`: ") for line in command.lines] == [True]


def test_a_requested_port_is_forwarded_even_if_it_is_already_automatic(target: TargetForwards) -> None:
    ports, command, port, other = WatchedPorts(target), Command(1), free_port(), free_port()
    ports.update([on(command, port)])
    held, _ = target.hold("the user", forwards.parse(f"{port}:localhost:{other}"))
    assert (held.endpoint.port, here(target), ports.local(port)) == (port, [port], 0)
    ports.release(command)
    assert here(target) == [port]


def test_a_line_that_cannot_be_shown_now_is_shown_later(target: TargetForwards) -> None:
    ports, command = WatchedPorts(target), Command(1)
    command.is_drawn_on = True
    ports.update([on(command, free_port())])
    command.is_drawn_on = False
    assert command.lines == []
    ports.show()
    ports.show()
    assert len(command.lines) == 1
