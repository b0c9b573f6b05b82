"""Tests for what a server's version says about its bugs."""

from __future__ import annotations

import pytest

from rdo.drivers.ssh.connection import session_limit


@pytest.mark.parametrize(
    ("server_version", "limit"),
    [
        ("SSH-2.0-dropbear_2022.81", None),
        ("SSH-2.0-dropbear_2022.82", 2),
        ("SSH-2.0-dropbear_2022.83 Debian-1", 2),
        ("SSH-2.0-dropbear_2024.85", 2),
        ("SSH-2.0-dropbear_2024.86", None),
        ("SSH-2.0-dropbear_2025.1", None),
        ("SSH-2.0-dropbear", None),
        ("SSH-2.0-OpenSSH_9.2p1", None),
        ("", None),
    ],
)
def test_a_dropbear_that_mixes_up_sessions_gets_only_two_per_connection(server_version: str, limit: int | None) -> None:
    assert session_limit(server_version) == limit
