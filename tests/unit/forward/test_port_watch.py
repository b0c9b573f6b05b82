"""Tests for the target's answers about ports: no answer can make rdo wait, or store it without bound."""

from __future__ import annotations

from itertools import repeat
from typing import cast

import pytest

from rdo.drivers.base import Channel
from rdo.forward.port_watch import LINE_LIMIT, NAMED_LIMIT, PortWatch, _answer
from rdo.forward.watched_command import WatchedCommand
from rdo.forward.watched_ports import WatchedPorts
from rdo.pool.connection import HeldConnection
from rdo.pool.shell_job import JobFailed


def test_an_answer_ends_with_a_dot_and_another_may_follow() -> None:
    lines = iter([b"!", b"1 2 127.0.0.1:3000 x", b".", b".", b"!", b"."])
    found = _answer(lines)
    assert found is not None
    assert [each.port for each in found] == [3000]
    assert _answer(lines) is None
    assert _answer(lines) == []


@pytest.mark.parametrize("lines", [[], [b"!", b"1 2 127.0.0.1:3000 x"], repeat(b"!"), repeat(b"", LINE_LIMIT)])
def test_an_incomplete_answer_is_not_used(lines: list[bytes]) -> None:
    with pytest.raises(JobFailed):
        _answer(iter(lines))


class Ports:
    """Ports of which none is forwarded here. Each command's are recorded."""

    def name(self, command: WatchedCommand, port: int) -> None:
        command.named.add(port)

    def local(self, port: int) -> int:
        return 0


def test_output_that_repeats_foreign_ports_does_not_cause_a_check_each_time() -> None:
    watch = PortWatch(cast(WatchedPorts, Ports()))
    said: list[str] = []
    command = WatchedCommand(1, cast(HeldConnection, None), cast(Channel, None), bool, said.append)
    looks = []
    for port in [3000, 3000, *range(4000, 4000 + 2 * NAMED_LIMIT)]:
        watch._soon = False
        watch.name(command, port)
        looks.append(watch._soon)
    assert looks[:3] == [True, False, True]
    assert looks.count(True) == NAMED_LIMIT
