"""The marks of packets by their names."""

from __future__ import annotations

import pytest

from rdo.drivers.ssh.query_output import packet_mark


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lowdelay throughput", 0x10),
        ("af21 cs1", 0x48),
        ("AF43", 0x98),
        ("cs7", 0xE0),
        ("ef cs0", 0xB8),
        ("0x20 0x08", 0x20),
        ("16", 16),
        ("none", None),
        ("", None),
        ("256", None),
        ("odd", None),
    ],
)
def test_a_mark_is_the_first_value(text: str, expected: int | None) -> None:
    assert packet_mark(text) == expected
