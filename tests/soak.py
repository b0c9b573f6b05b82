"""How often a test tries what may fail by chance: a few times, or with RDO_SOAK set as often as it is claimed."""

from __future__ import annotations

import os


def tries(small: int, full: int) -> int:
    """`full` when RDO_SOAK is set, else `small`."""
    return full if os.environ.get("RDO_SOAK") else small
