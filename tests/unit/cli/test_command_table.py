"""Checks that each command of the table is where the table says."""

from __future__ import annotations

import pytest

from rdo.cli import command_table


@pytest.mark.parametrize("name", command_table.COMMANDS)
def test_a_command_is_loaded_by_its_name(name: str) -> None:
    assert command_table.load(name).name == name
