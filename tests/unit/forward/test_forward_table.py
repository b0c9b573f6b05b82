"""Tests for ports that are reachable here without a forward. Listens here, but connects to nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from rdo.config import forwards
from rdo.forward.forward_table import ForwardTable
from rdo.pool.target_pool import TargetPool
from tests.ssh_server import free_port


class Container:
    """A container whose port 80 is published as 8080."""

    driver = "docker"
    name = "web"
    key = "web"

    def serves_here(self, here: int, there: int) -> bool:
        return (here, there) == (8080, 80)


class Pool:
    target = Container()

    def when_closing(self, call: Callable[[str], None]) -> None:
        """Does nothing, since it is not closed."""


@pytest.mark.parametrize("word", ["8080:80", "8080:80!"])
def test_a_published_port_is_not_forwarded(word: str, tmp_path: Path) -> None:
    table = ForwardTable(str(tmp_path))
    pool = cast(TargetPool, Pool())
    assert table.add(pool, [forwards.parse(word)]) == ["localhost:8080 -> web:80 is there without a forward"]
    assert not table.targets


def test_another_port_of_this_machine_is_forwarded(tmp_path: Path) -> None:
    table = ForwardTable(str(tmp_path))
    pool = cast(TargetPool, Pool())
    here = free_port()
    try:
        assert table.add(pool, [forwards.parse(f"{here}:80!")]) == [f"localhost:{here} -> web:80"]
    finally:
        table.close()
