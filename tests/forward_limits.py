"""What not every target can forward."""

from __future__ import annotations

import pytest

NOT_DROPBEAR = pytest.mark.parametrize("target", ["ssh", "local", "docker"], indirect=True)
"""For what dropbear 2022.83 does not do: forward Unix sockets, or close a channel whose server is gone but that waits
for more input."""
