"""Tests for closing a connection to this machine while something is opened on it."""

from __future__ import annotations

import os
from typing import Any

import pytest

from rdo.drivers.local import target
from rdo.drivers.local.caller_context import CallerContext
from rdo.drivers.local.channel import LocalChannel
from rdo.errors import LinkLost


class Here:
    """A caller that is this process."""

    def __init__(self) -> None:
        self.environment = dict(os.environ)
        self.process = os.getpid()


def test_a_channel_that_is_opened_while_the_connection_is_closed_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = target.LocalConnection(CallerContext.of(Here()))  # type: ignore[arg-type]
    opened: list[LocalChannel] = []

    def open_late(*arguments: Any) -> LocalChannel:
        opened.append(LocalChannel(*arguments))
        connection.close()
        return opened[0]

    monkeypatch.setattr(target, "LocalChannel", open_late)
    with pytest.raises(LinkLost, match="closed in the meantime"):
        connection.open_channel("exec cat", None)
    assert opened[0].ended
