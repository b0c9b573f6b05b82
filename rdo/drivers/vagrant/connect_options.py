"""What a profile says about the way to a machine. Pure."""

from __future__ import annotations

from typing import NamedTuple

AUTO_UP = "set `auto_up = true`"


class ConnectOptions(NamedTuple):
    """Whether to get a machine up, and the seconds for each step of reaching it."""

    auto_up: bool
    connect_timeout: float | None
