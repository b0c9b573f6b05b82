"""Tests for AddKeysToAgent as `ssh -G` prints it."""

from __future__ import annotations

import pytest

from rdo.drivers.ssh.auth.agent import AddPolicy, add_policy


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", AddPolicy()),
        ("no", AddPolicy()),
        ("false", AddPolicy()),
        ("yes", AddPolicy(True)),
        ("true", AddPolicy(True)),
        ("ask", AddPolicy(True, asks=True)),
        ("confirm", AddPolicy(True, confirm=True)),
        ("3600", AddPolicy(True, lifetime=3600)),
        ("confirm 60", AddPolicy(True, confirm=True, lifetime=60)),
        ("0", AddPolicy()),
    ],
)
def test_the_value_says_how_a_key_is_added(value: str, expected: AddPolicy) -> None:
    assert add_policy(value) == expected
