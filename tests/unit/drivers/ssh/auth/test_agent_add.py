"""AddKeysToAgent as `ssh -G` prints it."""

from __future__ import annotations

import pytest

from rdo.drivers.ssh.auth.agent_add import Adding, adding


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", Adding()),
        ("no", Adding()),
        ("false", Adding()),
        ("yes", Adding(True)),
        ("true", Adding(True)),
        ("ask", Adding(True, asks=True)),
        ("confirm", Adding(True, confirm=True)),
        ("3600", Adding(True, lifetime=3600)),
        ("confirm 60", Adding(True, confirm=True, lifetime=60)),
        ("0", Adding()),
    ],
)
def test_the_value_says_how_a_key_is_added(value: str, expected: Adding) -> None:
    assert adding(value) == expected
