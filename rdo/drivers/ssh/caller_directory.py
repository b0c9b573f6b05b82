"""Where programs of the user's ssh configuration are run: where the command was typed, as by ssh(1).

A control master itself is nowhere in particular.
"""

from __future__ import annotations

import os
from collections.abc import Mapping


def caller_directory(environment: Mapping[str, str]) -> str:
    """The caller's working directory; `/` where that is gone by now."""
    path = environment.get("PWD", "")
    return path if path.startswith("/") and os.path.isdir(path) else "/"
