"""Limits of targets that cannot forward everything."""

from __future__ import annotations

import pytest

NOT_DROPBEAR = pytest.mark.parametrize("way", ["ssh", "local", "docker"], indirect=True)
"""For what dropbear 2022.83 cannot do: forward Unix sockets, or close a channel that waits for more input although its
server is gone.
"""

SEEN_HERE = pytest.mark.parametrize("way", ["ssh", "dropbear", "local", "docker"], indirect=True)
"""For what a server does not show to those who connect to a port that it forwards to us."""
