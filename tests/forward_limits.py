"""What not every target can forward."""

from __future__ import annotations

import pytest

NOT_DROPBEAR = pytest.mark.parametrize("way", ["ssh", "local", "docker"], indirect=True)
"""For what dropbear 2022.83 does not do: forward Unix sockets, or close a channel whose server is gone but that waits
for more input."""

SEEN_HERE = pytest.mark.parametrize("way", ["ssh", "dropbear", "local", "docker"], indirect=True)
"""For what a server does not show to those who connect to a port on which it listens for us."""
